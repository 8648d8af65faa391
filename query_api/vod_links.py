"""Addresses of recordings and clips: plain where they are public, else with a playback token for who asks."""

from __future__ import annotations

import time
from dataclasses import dataclass

from query_api.playback_links import TOKEN_S, Grant, signed
from query_api.services import Services
from query_api.sessions import Session
from schemas.events.channels import PUBLIC

SCOPE = "user:manage:playback"


@dataclass(frozen=True, slots=True)
class Vod:
    """Where one lies: `prefix` ends with a slash, `query` belongs on every request below it."""

    prefix: str
    query: str = ""

    def at(self, name: str) -> str:
        """The address of one of its files, with the query."""
        return f"{self.prefix}{name}?{self.query}" if self.query else f"{self.prefix}{name}"


class VodLinks:
    """For one request. `viewer_id` is who asks, as far as tokens are made for him: else empty."""

    def __init__(self, services: Services, session: Session | None) -> None:
        self._services = services
        self.viewer_id = session.user_id if session and SCOPE in session.scopes else ""

    def vod(self, vod_id: str, channel_id: str, playback_path: str, playback_policy: str) -> Vod:
        """Call it for what `may_watch` lets `viewer_id` see. Raises ApiError 503 when nothing can be signed."""
        settings, links = self._services.settings, self._services.links
        if playback_policy == PUBLIC:
            return Vod(settings.playback_url.rstrip("/") + playback_path.rpartition("/")[0] + "/")
        grant = Grant(
            stream_id=vod_id,
            playback_path=playback_path,
            expires_s=int(time.time()) + min(TOKEN_S, settings.playback_token_longest_s),
            viewer=self.viewer_id if links.binds and self.viewer_id != channel_id else None,
        )
        link = signed(links, grant)
        return Vod(link.url.partition("?")[0].rpartition("/")[0] + "/", link.query)

"""Addresses that play what is not public, for a while: with a token of ours, or signed for CloudFront."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol

from query_api.errors import unavailable
from topology.playback_keys import CannotSign, PlaybackKeys
from topology.playback_tokens import Claims, sign
from topology.settings import Settings

TOKEN_S = 600
"""How long a token works unless somebody says otherwise, seconds."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What is allowed. None binds to nobody and nowhere; `expires_s` is Unix time in seconds."""

    stream_id: str
    """Or a clip's id."""
    playback_path: str
    expires_s: int
    viewer: str | None = None
    country: str | None = None

    @property
    def prefix(self) -> str:
        """Of all paths of the stream."""
        return self.playback_path.rpartition("/")[0] + "/"


@dataclass(frozen=True, slots=True)
class Link:
    """`query` belongs on every request below the stream's prefix; `cookies` do the same for players that keep them."""

    url: str
    query: str
    token: str = ""
    cookies: dict[str, str] = field(default_factory=dict)


class LinkMaker(Protocol):
    """Raises CannotSign when there is no key to sign with now."""

    @property
    def binds(self) -> bool:
        """Whether it can bind to a viewer and a country."""

    def link(self, grant: Grant) -> Link: ...


class TokenLinks:
    """Links to our own origin, or a CDN that asks it."""

    binds = True

    def __init__(self, settings: Settings) -> None:
        self._base = settings.playback_url.rstrip("/")
        self._keys = PlaybackKeys.of(settings)

    def link(self, grant: Grant) -> Link:
        """Raises CannotSign."""
        now_s = time.time()
        kid, key = self._keys.signer(now_s)
        claims = Claims(
            stream_id=grant.stream_id,
            path=grant.prefix,
            not_before_s=int(now_s),
            expires_s=grant.expires_s,
            viewer=grant.viewer,
            country=grant.country,
        )
        token = sign(claims, kid, key)
        query = f"token={token}"
        return Link(f"{self._base}{grant.playback_path}?{query}", query, token)


def signed(links: LinkMaker, grant: Grant) -> Link:
    """The link of a grant. Raises ApiError 503 when there is no key to sign it with."""
    try:
        return links.link(grant)
    except CannotSign:
        raise unavailable("This edge has no key that signs playback tokens now.", 60) from None


def link_maker(settings: Settings) -> LinkMaker:
    """By the settings. Raises ValueError when those of CloudFront are half set or its key cannot be read."""
    if not settings.cloudfront_base_url:
        return TokenLinks(settings)
    from query_api.cloudfront import CloudFrontLinks  # botocore takes long to load

    return CloudFrontLinks(settings)

"""What playlists and parts are answered with (RFC 8216bis 6.2.5.2): the rules, for whatever speaks HTTP around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from starlette.responses import PlainTextResponse, Response

from ingest.answers import MEDIA_TYPE, OPEN, PLAYLIST_TYPE
from ingest.hls.held import Held
from ingest.hls.registry import Registry
from ingest.hls.shelf import Slice
from ingest.hls.wanted import Part, Reload, Wanted
from ingest.hls.window import Window
from ingest.ranges import answer_range

BRIEF = "public, max-age=1"
NOT_STORED = "no-store"
MEDIA_HEADERS = {**OPEN, "Cache-Control": "public, max-age=31536000, immutable"}
_HOLD_TARGETS = 3
"""Target durations for which a request is held before it is given up (RFC 8216bis 6.2.5.2)."""


class Hold(NamedTuple):
    """It is not there yet: ask again once it `is_over`, and give up after `longest_s`."""

    window: Window
    msn: int
    part: int | None

    @property
    def longest_s(self) -> float:
        return float(_HOLD_TARGETS * self.window.target_s)

    def is_over(self) -> bool:
        """The window has it, or will have nothing more."""
        return self.window.ended or self.window.has(self.msn, self.part)


class LiveEdge:
    """Answers for the streams of a registry. `held_max` bounds the requests that wait at one time."""

    def __init__(self, registry: Registry, held_max: int = 20_000) -> None:
        self.registry = registry
        self.held = Held(held_max)

    def window(self, stream_id: str, rendition: str) -> Window | None:
        playback = self.registry.find(stream_id)
        return playback.window(rendition) if playback else None

    def ask(self, window: Window, wanted: Wanted, gzip: bool, span: str | None = None) -> Response | Slice | Hold:
        """The answer, or where on disk the content of a good one lies. `span` is the Range header, of media only."""
        if isinstance(wanted, Reload):
            return self._playlist(window, wanted, gzip)
        return self._part(window, wanted, span)

    def _playlist(self, window: Window, wanted: Reload, gzip: bool) -> Response | Hold:
        msn, part, skip = wanted
        lifetime = BRIEF
        if msn is not None and not window.ended:
            if window.is_ahead(msn, part):
                return refusal(400, "that is too far ahead")
            if not window.has(msn, part):
                return self._hold(window, msn, part)
            lifetime = f"public, max-age={2 * _HOLD_TARGETS * window.target_s}"
        return playlist_answer(window.playlist(skip, gzip), lifetime, gzip)

    def _part(self, window: Window, wanted: Part, span: str | None) -> Response | Slice | Hold:
        if window.is_hinted(*wanted) and not window.ended:
            return self._hold(window, *wanted)
        content = window.part(*wanted)
        if isinstance(content, Slice):
            return content
        return not_found() if content is None else answer_range(span, content, MEDIA_HEADERS, MEDIA_TYPE)

    def _hold(self, window: Window, msn: int, part: int | None) -> Response | Hold:
        return unavailable("too many requests wait") if self.held.full else Hold(window, msn, part)


def playlist_answer(content: bytes, lifetime: str, gzip: bool) -> Response:
    """`content` is gzipped if `gzip` says so."""
    headers = {**OPEN, "Cache-Control": lifetime, "Vary": "Accept-Encoding"}
    if gzip:
        headers["Content-Encoding"] = "gzip"
    return Response(content, headers=headers, media_type=PLAYLIST_TYPE)


def refusal(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(reason, status, {**OPEN, "Cache-Control": BRIEF, **(headers or {})})


def not_found() -> Response:
    return refusal(404, "no such stream or segment")


def unavailable(reason: str) -> Response:
    return refusal(503, reason, {"Cache-Control": NOT_STORED, "Retry-After": "1"})


def late() -> Response:
    """To a request that was held for as long as it may be."""
    return unavailable("nothing arrived in time")

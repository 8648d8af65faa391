"""What was seen of a stream. Frozen: the rules are functions of it. Clock times are seconds of one monotonic clock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from urllib.parse import urljoin

from ingest.hls.check.mp4 import Fragment, Init, Mp4Error, read_fragments, read_init
from ingest.hls.check.playlist import (
    ByteRange,
    MediaPlaylist,
    MultivariantPlaylist,
    Part,
    Position,
    PreloadHint,
    Segment,
)

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,10})")


@dataclass(frozen=True)
class Response:
    """An answer, or why there was none: then `status` is 0 and `error` says it."""

    url: str
    """After redirects."""
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    body: bytes = b""
    asked_at_s: float = 0.0
    got_at_s: float = 0.0
    redirected: bool = False
    error: str = ""

    @property
    def took_s(self) -> float:
        return self.got_at_s - self.asked_at_s

    @property
    def max_age_s(self) -> int | None:
        """How long a shared cache may keep it; 0 when it may not."""
        control = self.headers.get("cache-control", "").lower()
        if any(word in control for word in ("no-store", "no-cache", "private")):
            return 0
        match = _MAX_AGE.search(control.replace("s-maxage", "max-age"))
        return int(match[1]) if match else None

    def __str__(self) -> str:
        return f"{self.error or f'HTTP {self.status}'} from {shown_url(self.url)}"


@dataclass(frozen=True)
class Load:
    """A whole media playlist as it was at a moment."""

    response: Response
    playlist: MediaPlaylist
    asked: Position | None = None
    """What a blocking reload waited for."""


@dataclass(frozen=True)
class Delta:
    """The answer to `_HLS_skip`, beside a whole playlist loaded just before."""

    asked: str
    full: MediaPlaylist
    response: Response
    playlist: MediaPlaylist | None


@dataclass(frozen=True)
class Hinted:
    """A preload hint and what a request for it, sent before the part was listed, brought."""

    hint: PreloadHint
    url: str
    response: Response


class Question(StrEnum):
    """Directives and names that the observer tries on purpose."""

    SEGMENT_TOO_FAR = "a segment far ahead"
    PART_TOO_FAR = "a part far ahead"
    PART_ALONE = "_HLS_part without _HLS_msn"
    NO_NUMBER = "_HLS_msn that is no number"
    NEGATIVE = "_HLS_msn below zero"
    PAST_LAST_PART = "a part past a segment's last"
    LONG_AGO = "a segment that is long gone"
    AFTER_END = "directives after the end"
    UNKNOWN_NAME = "a name that no playlist has"


@dataclass(frozen=True)
class Probe:
    question: Question
    response: Response
    playlist: MediaPlaylist | None = None


class Kind(StrEnum):
    INIT = "init"
    SEGMENT = "segment"
    PART = "part"


@dataclass(frozen=True)
class Resource:
    """Something that was fetched for a playlist."""

    kind: Kind
    response: Response
    byte_range: ByteRange | None = None

    @property
    def arrived(self) -> bool:
        """True when its bytes are there."""
        return self.response.status in (200, 206)


@dataclass(frozen=True)
class RenditionFacts:
    """One media playlist and what it led to."""

    name: str
    url: str
    loads: tuple[Load, ...]
    """In the order in which they arrived; at least one, but when `unreadable`."""
    unreadable: tuple[str, ...] = ()
    """Answers that should have been playlists and were not."""
    refused: tuple[tuple[Position, Response], ...] = ()
    """Blocking reloads of what comes next that got no playlist."""
    deltas: tuple[Delta, ...] = ()
    hints: tuple[Hinted, ...] = ()
    probes: tuple[Probe, ...] = ()
    resources: Mapping[str, Resource] = field(default_factory=dict)
    """By `resource_key`."""
    removed: tuple[Resource, ...] = ()
    """What had left the playlist lately, asked for at the end."""

    @property
    def first(self) -> MediaPlaylist:
        return self.loads[0].playlist

    @property
    def last(self) -> MediaPlaylist:
        return self.loads[-1].playlist

    def pairs(self) -> Iterator[tuple[MediaPlaylist, MediaPlaylist]]:
        """Each playlist with the one after it."""
        for before, after in zip(self.loads, self.loads[1:], strict=False):
            yield before.playlist, after.playlist

    def absolute(self, uri: str) -> str:
        return _join(self.loads[0].response.url, uri)

    def find(self, uri: str, byte_range: ByteRange | None) -> Resource | None:
        """A fetched resource that arrived."""
        found = self.resources.get(resource_key(self.absolute(uri), byte_range))
        return found if found and found.arrived else None

    @cached_property
    def segments(self) -> dict[int, Segment]:
        """Every closed segment that was listed, by number; as it was listed last, with all its parts ever listed."""
        known: dict[int, Segment] = {}
        for load in self.loads:
            for segment in load.playlist.listed:
                before = known.get(segment.number)
                if before and len(before.parts) > len(segment.parts):
                    segment = replace(segment, parts=before.parts)
                known[segment.number] = segment
        return {number: segment for number, segment in sorted(known.items()) if segment.uri}

    @cached_property
    def media(self) -> dict[str, tuple[Fragment, ...] | Mp4Error]:
        """The fragments of each segment and part in fragmented MP4, by key; the error of those that have none."""
        return {
            resource_key(self.absolute(uri), byte_range): _fragments(found, init)
            for uri, byte_range, init in self._in_mp4()
            if (found := self.find(uri, byte_range))
        }

    @cached_property
    def inits(self) -> dict[str, Init | Mp4Error]:
        """Every init segment, by key."""
        return {
            key: _init(resource)
            for key, resource in self.resources.items()
            if resource.kind is Kind.INIT and resource.arrived
        }

    def init_of(self, segment: Segment) -> Init | None:
        """The init segment that it needs; None when there is none or it cannot be read."""
        if segment.map is None:
            return None
        init = self.inits.get(resource_key(self.absolute(segment.map.uri), segment.map.byte_range))
        return init if isinstance(init, Init) else None

    def fragments(self, entry: Segment | Part) -> tuple[Fragment, ...] | None:
        """Of a segment or part that was fetched and could be read."""
        found = self.media.get(resource_key(self.absolute(entry.uri), entry.byte_range))
        return found if isinstance(found, tuple) else None

    def _in_mp4(self) -> Iterator[tuple[str, ByteRange | None, Init]]:
        for segment in (*self.segments.values(), *([self.last.open] if self.last.open else [])):
            init = self.init_of(segment)
            if init:
                if segment.uri:
                    yield segment.uri, segment.byte_range, init
                for part in segment.parts:
                    yield part.uri, part.byte_range, init


@dataclass(frozen=True)
class Facts:
    """All that was seen."""

    url: str
    renditions: tuple[RenditionFacts, ...]
    multivariant: MultivariantPlaylist | None = None
    """As it was at the end; None when the URL is that of a media playlist."""
    multivariant_loads: tuple[Response, ...] = ()
    """By a player at the beginning, by another, and at the end."""
    multivariant_uris: tuple[frozenset[str], ...] = ()
    """The URIs that each of these loads listed."""

    def rendition(self, uri: str) -> RenditionFacts | None:
        """By its URI in the multivariant playlist."""
        return next((each for each in self.renditions if each.name == uri and each.loads), None)


def resource_key(url: str, byte_range: ByteRange | None) -> str:
    return f"{url}#{byte_range.offset}+{byte_range.length}" if byte_range else url


def shown_url(url: str) -> str:
    """The URL without its query but for delivery directives: tokens stand in queries."""
    address, _, query = url.partition("?")
    directives = "&".join(pair for pair in query.split("&") if pair.startswith("_HLS_"))
    return f"{address}?{directives}" if directives else address


@lru_cache(1 << 16)
def _join(base: str, uri: str) -> str:
    # Joined again by every rule, this is most of what judging costs.
    return urljoin(base, uri)


def _init(resource: Resource) -> Init | Mp4Error:
    try:
        return read_init(resource.response.body)
    except Mp4Error as error:
        return error


def _fragments(resource: Resource, init: Init) -> tuple[Fragment, ...] | Mp4Error:
    try:
        return read_fragments(resource.response.body, init)
    except Mp4Error as error:
        return error

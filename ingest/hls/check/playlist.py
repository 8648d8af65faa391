"""What playlists say (RFC 8216bis 4). Durations in seconds, lines counted from 1."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ingest.hls.check.attributes import Attributes


class ByteRange(NamedTuple):
    length: int
    offset: int


class Position(NamedTuple):
    """A place at the live edge: a Media Sequence Number and a Part Index, which is -1 for a whole segment."""

    segment: int
    part: int = -1


@dataclass(frozen=True)
class Map:
    uri: str
    byte_range: ByteRange | None = None


@dataclass(frozen=True)
class Part:
    line: int = field(compare=False)
    uri: str
    duration_s: float
    independent: bool = False
    gap: bool = False
    byte_range: ByteRange | None = None


@dataclass(frozen=True)
class Segment:
    """A Media Segment, or the parts of the one that is still open: that has no URI and the duration of its parts."""

    line: int = field(compare=False)
    number: int
    uri: str
    duration_s: float
    discontinuity_sequence: int
    map: Map | None = None
    parts: tuple[Part, ...] = ()
    discontinuity: bool = False
    date_time_s: float | None = None
    """Unix time of EXT-X-PROGRAM-DATE-TIME."""
    gap: bool = False
    byte_range: ByteRange | None = None
    tags_after_parts: tuple[str, ...] = ()
    """Tags that apply to the segment but came after its first part."""


@dataclass(frozen=True)
class ServerControl:
    block_reload: bool = False
    skip_until_s: float | None = None
    skip_date_ranges: bool = False
    hold_back_s: float | None = None
    part_hold_back_s: float | None = None


@dataclass(frozen=True)
class PreloadHint:
    line: int
    kind: str
    uri: str
    byte_range_start: int = 0
    byte_range_length: int | None = None


@dataclass(frozen=True)
class RenditionReport:
    line: int
    uri: str
    last_segment: int | None = None
    last_part: int | None = None


@dataclass(frozen=True)
class Tag:
    """A tag or comment that this parser does not read."""

    line: int
    text: str


@dataclass(frozen=True)
class MediaPlaylist:
    version: int
    target_s: int
    media_sequence: int
    discontinuity_sequence: int
    segments: tuple[Segment, ...]
    """The closed ones; without those that a delta update skips."""
    open: Segment | None
    tags: frozenset[str]
    """The names of all tags in it."""
    part_target_s: float | None = None
    control: ServerControl | None = None
    ended: bool = False
    kind: str | None = None
    """EXT-X-PLAYLIST-TYPE: EVENT or VOD."""
    independent_segments: bool = False
    skipped: int = 0
    hints: tuple[PreloadHint, ...] = ()
    reports: tuple[RenditionReport, ...] = ()
    date_ranges: tuple[Attributes, ...] = ()
    unknown: tuple[Tag, ...] = ()
    decimal_durations: bool = False
    """True when an EXTINF has a fraction."""

    @property
    def listed(self) -> tuple[Segment, ...]:
        return (*self.segments, self.open) if self.open else self.segments

    @property
    def has_parts(self) -> bool:
        return self.part_target_s is not None or any(segment.parts for segment in self.listed)

    @property
    def duration_s(self) -> float:
        return sum(segment.duration_s for segment in self.listed)

    @property
    def last(self) -> Position | None:
        """What the playlist has at its end."""
        if not self.listed:
            return None
        last = self.listed[-1]
        return Position(last.number, len(last.parts) - 1)

    @property
    def next(self) -> Position:
        """What will be added first, as a blocking reload asks for it."""
        if self.open:
            return Position(self.open.number, len(self.open.parts))
        number = self.media_sequence + self.skipped + len(self.segments)
        return Position(number, 0 if self.has_parts else -1)

    def has(self, wanted: Position) -> bool:
        """True when it holds that segment or part, or anything after it (6.2.5.2)."""
        if wanted.part < 0:
            return bool(self.segments) and self.segments[-1].number >= wanted.segment
        return self.last is not None and self.last >= wanted

    def distances_s(self) -> list[float]:
        """From each listed segment's start to the end of the playlist."""
        distances, total = [], 0.0
        for segment in reversed(self.listed):
            total += segment.duration_s
            distances.append(total)
        return distances[::-1]


@dataclass(frozen=True)
class Media:
    """An EXT-X-MEDIA tag."""

    line: int
    kind: str
    group: str
    name: str
    uri: str | None = None
    language: str | None = None
    default: bool = False
    autoselect: bool = False
    channels: str | None = None


@dataclass(frozen=True)
class Variant:
    """An EXT-X-STREAM-INF tag with its URI. Bandwidths in bit/s."""

    line: int
    uri: str
    bandwidth: int
    average_bandwidth: int | None = None
    codecs: tuple[str, ...] = ()
    resolution: tuple[int, int] | None = None
    frame_rate: float | None = None
    audio: str | None = None
    video: str | None = None
    subtitles: str | None = None


@dataclass(frozen=True)
class MultivariantPlaylist:
    version: int
    variants: tuple[Variant, ...]
    media: tuple[Media, ...]
    tags: frozenset[str]
    independent_segments: bool = False
    unknown: tuple[Tag, ...] = ()

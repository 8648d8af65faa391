"""What a playlist lists."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple


@dataclass(frozen=True)
class Rendition:
    """What the multivariant playlist says of one of a stream's renditions."""

    name: str
    """`source`, `audio`, or a rung of the ladder such as `720p`; part of its URLs."""
    codecs: str
    """RFC 6381."""
    width: int = 0
    """0 without a picture."""
    height: int = 0
    frame_rate: float = 0.0
    channels: int = 0
    """0 without sound."""
    plays_in_browsers: bool = True
    """See `shown`."""
    timescale: int = 90_000
    """Ticks per second of its media."""


def shown(renditions: Collection[Rendition]) -> set[str]:
    """Names of those that players are told of, by HLS and DASH. Pictures that no browser plays are left out as long as
    there are others.
    """
    pictures = [rendition for rendition in renditions if rendition.width]
    hidden = {rendition.name for rendition in pictures if not rendition.plays_in_browsers}
    return {each.name for each in renditions} - (hidden if len(hidden) < len(pictures) else set())


class Ticks(NamedTuple):
    """Where media lies in presentation time, in its rendition's timescale."""

    start: int
    end: int


NOWHERE = Ticks(0, 0)


class Slot(NamedTuple):
    """A part's place in a stream's time: the same for all renditions."""

    number: int
    """Media sequence number of its segment."""
    part: int
    """Index within the segment."""
    duration_s: float
    """Never more than the part target."""
    starts_at_s: float
    """Unix time of the segment's first frame."""
    media_s: float
    """The segment's first decode time."""
    discontinuities: int
    """Discontinuity sequence number."""


class Span(NamedTuple):
    """A segment's place in a stream's time: the same for all renditions."""

    number: int
    starts_at_s: float
    media_s: float
    discontinuities: int
    duration_s: float


class PartEntry(NamedTuple):
    duration_s: float
    independent: bool
    offset: int
    """Of its first byte within the segment."""
    size: int
    """0 when the rendition has nothing for this time: a gap."""


@dataclass(frozen=True)
class SegmentEntry:
    """A segment; `duration_s` is what it has so far while it is open."""

    number: int
    """Media sequence number."""
    init: int
    """Number of its init segment."""
    new_init: bool
    """It differs from that of the segment before, or follows a discontinuity."""
    discontinuities: int
    """Discontinuity sequence number."""
    discontinuity: bool
    """It follows a discontinuity."""
    starts_at_s: float
    """Unix time of its first frame."""
    media_s: float
    """Decode time of its first frame; to within a frame in an audio rendition beside video."""
    duration_s: float
    """Likewise."""
    size: int
    """Bytes."""
    parts: tuple[PartEntry, ...]
    """None of a segment that is far from the live edge."""
    gap: bool = False
    """The rendition lacks all of this segment. Where it lacks some, the parts say which."""
    ticks: Ticks = NOWHERE
    """Where what there is of it lies."""

    @property
    def independent(self) -> bool:
        """What there is of it can be decoded by itself."""
        return next((part.independent for part in self.parts if part.size), True)

    def without_parts(self) -> SegmentEntry:
        """What is left to say of it far from the live edge."""
        return replace(self, parts=()) if self.parts else self

    @cached_property
    def head(self) -> str:
        """The lines before its parts."""
        moment = datetime.fromtimestamp(self.starts_at_s, UTC).isoformat(timespec="milliseconds")
        return (
            ("#EXT-X-DISCONTINUITY\n" if self.discontinuity else "")
            + (map_line(self.init) if self.new_init else "")
            + f"#EXT-X-PROGRAM-DATE-TIME:{moment.replace('+00:00', 'Z')}\n"
        )

    @cached_property
    def part_lines(self) -> str:
        return "".join(
            f'#EXT-X-PART:DURATION={seconds(part.duration_s)},URI="{part_name(self.number, index)}"'
            + (",INDEPENDENT=YES" if part.independent else "")
            + ("\n" if part.size else ",GAP=YES\n")
            for index, part in enumerate(self.parts)
        )

    @cached_property
    def tail(self) -> str:
        """The lines after its parts, once it is closed."""
        gap = "#EXT-X-GAP\n" if self.gap else ""
        return f"{gap}#EXTINF:{seconds(self.duration_s)},\n{segment_name(self.number)}\n"

    @cached_property
    def text(self) -> str:
        """All of its lines where its parts are not listed."""
        return self.head + self.tail


def seconds(value: float) -> str:
    """To 10 microseconds, which is finer than a video tick."""
    return f"{value:.5f}"


def init_name(number: int) -> str:
    return f"init{number}.mp4"


def segment_name(number: int) -> str:
    return f"segment{number}.m4s"


def part_name(number: int, index: int) -> str:
    return f"part{number}.{index}.m4s"


def map_line(init: int) -> str:
    return f'#EXT-X-MAP:URI="{init_name(init)}"\n'

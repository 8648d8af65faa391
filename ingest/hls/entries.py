"""What a playlist lists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property


@dataclass(frozen=True)
class Rendition:
    """What the multivariant playlist says of one of a stream's renditions."""

    name: str
    """`source`, `audio`, or a rung of the ladder such as `720p`; part of its URLs."""
    codecs: str
    """RFC 6381, comma-separated."""
    width: int = 0
    height: int = 0
    frame_rate: float = 0.0
    channels: int = 0
    """0 without sound."""


@dataclass(frozen=True)
class PartEntry:
    duration_s: float
    independent: bool
    offset: int
    """Of its first byte within the segment."""
    size: int


@dataclass(frozen=True)
class SegmentEntry:
    """A segment; `duration_s` is what it has so far while it is open."""

    number: int
    """Media sequence number."""
    init: int
    """Number of its init segment, which is also its discontinuity sequence number."""
    discontinuity: bool
    starts_at_s: float
    """Unix time of its first frame."""
    duration_s: float
    parts: tuple[PartEntry, ...]
    gap: bool = False
    """The rendition lacks this segment, or some of it."""

    @property
    def size(self) -> int:
        return self.parts[-1].offset + self.parts[-1].size if self.parts else 0

    @cached_property
    def head(self) -> str:
        """The lines before its parts."""
        moment = datetime.fromtimestamp(self.starts_at_s, UTC).isoformat(timespec="milliseconds")
        head = f"#EXT-X-PROGRAM-DATE-TIME:{moment.replace('+00:00', 'Z')}\n"
        return f"#EXT-X-DISCONTINUITY\n{map_line(self.init)}{head}" if self.discontinuity else head

    @cached_property
    def part_lines(self) -> str:
        return "".join(
            f'#EXT-X-PART:DURATION={seconds(part.duration_s)},URI="{part_name(self.number, index)}"'
            + (",INDEPENDENT=YES\n" if part.independent else "\n")
            for index, part in enumerate(self.parts)
        )

    @cached_property
    def tail(self) -> str:
        """The lines after its parts, once it is closed."""
        return f"#EXTINF:{seconds(self.duration_s)},\n{segment_name(self.number)}\n"


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

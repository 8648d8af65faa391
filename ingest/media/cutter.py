"""Where a part and where a segment ends. Pure; times in the lead track's timescale."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.media.fragment import Frame

_LONG_ENOUGH = 0.85
"""A part shorter than this share of the target is allowed only at a segment's end, and before a gap (RFC 8216bis
4.4.4.9)."""


@dataclass(frozen=True)
class CutLimits:
    part_target: int
    segment_min: int
    segment_max: int
    """Only a single frame that lasts longer makes a longer segment."""


@dataclass
class Part:
    """Frames of the lead track, which is video where there is video, that are published together.

    Without frames, a part that lasts is a gap; one that does not only says that the segment ended with the part before.
    """

    start: int
    duration: int = 0
    """As published. The last frame may last on into the parts that follow."""
    frames: list[Frame] = field(default_factory=list)
    ends_segment: bool = False
    forced: bool = False
    """It ends the segment because that is at its limit, not because a keyframe follows."""


class Cutter:
    """Takes the lead track's frames in order, each with its final duration.

    A part ends where its last frame does, if it then lasts from 85 % of the target to the target. Where no frame ends
    there, because frames are missing, it is given the frame that goes beyond, and lasts exactly the target. What is
    left of that frame is part of the next part's time, or a gap where it takes up all of that.
    """

    def __init__(self, limits: CutLimits) -> None:
        self._limits = limits
        self._start = 0
        """Of the open part."""
        self._end = 0
        """Of the last frame taken."""
        self._frames: list[Frame] = []
        """In the open part."""
        self.segment_span = 0
        """How much of the open segment's time is in frames taken."""
        self._group_span = 0
        """Since the last keyframe."""
        self._headless = False
        """The open segment does not begin with a keyframe, so the next keyframe ends it, however short it is."""

    def push(self, frame: Frame, keyframe_follows: bool) -> list[Part]:
        """Add a frame; returns the parts that this completes."""
        limits, done = self._limits, []
        if self.segment_span and self.segment_span + frame.duration > limits.segment_max:
            done += self._close(ends_segment=True, forced=self._at_limit)
        elif self._frames and self._is_long_enough and self._would_exceed(frame):
            done += self._close_full()
        if not self.segment_span:
            self._start = frame.dts
            self._headless = not frame.keyframe
        self._frames.append(frame)
        self._end = frame.dts + frame.duration
        self.segment_span += frame.duration
        self._group_span = frame.duration if frame.keyframe else self._group_span + frame.duration
        if keyframe_follows and self._may_end:
            done += self._close(ends_segment=True)
        elif self._span >= limits.part_target or (self._is_long_enough and self._would_exceed(frame)):
            done += self._close_full()
        return done

    def flush(self) -> list[Part]:
        """The open part as it is, which ends its segment; nothing when no part is open."""
        return self._close(ends_segment=True) if self._span else []

    @property
    def _span(self) -> int:
        return self._end - self._start

    @property
    def _is_long_enough(self) -> bool:
        return self._span >= _LONG_ENOUGH * self._limits.part_target

    def _would_exceed(self, frame: Frame) -> bool:
        return self._span + frame.duration > self._limits.part_target

    @property
    def _may_end(self) -> bool:
        """A keyframe that comes now opens a segment: this one is long enough, or would not hold another group."""
        span, limits = self.segment_span, self._limits
        return span >= limits.segment_min or self._headless or span + self._group_span > limits.segment_max

    @property
    def _at_limit(self) -> bool:
        """The next part might take the segment over its limit."""
        return self.segment_span + self._limits.part_target > self._limits.segment_max

    def _close_full(self) -> list[Part]:
        at_limit = self._at_limit
        return self._close(ends_segment=at_limit, forced=at_limit)

    def _close(self, ends_segment: bool, forced: bool = False) -> list[Part]:
        """The open part, and after it the gaps within its last frame."""
        target = self._limits.part_target
        parts = []
        while self._frames or self._span >= target or (ends_segment and self._span):
            parts.append(Part(self._start, min(self._span, target), self._frames))
            self._start += parts[-1].duration
            self._frames = []
        if ends_segment:
            parts = parts or [Part(self._start)]
            parts[-1].ends_segment, parts[-1].forced = True, forced
            self.segment_span = 0
        return parts

"""Where a part and where a segment ends. Pure; times in the lead track's timescale."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.media.fragment import Frame

_LONG_ENOUGH = 0.85
"""A part shorter than this share of the target is allowed only at a segment's end (RFC 8216bis 4.4.4.9)."""


@dataclass(frozen=True)
class CutLimits:
    part_target: int
    segment_min: int
    segment_max: int
    """Only a single frame that lasts longer makes a longer segment."""


@dataclass
class Part:
    """Frames of the lead track, which is video where there is video, that are published together.

    A part without frames only says that the segment ended with the part before.
    """

    frames: list[Frame] = field(default_factory=list)
    duration: int = 0
    """As published: the frames' durations, but never more than the part target."""
    span: int = 0
    """The frames' durations."""
    ends_segment: bool = False
    forced: bool = False
    """It ends the segment because that is at its limit, not because a keyframe follows."""

    @property
    def independent(self) -> bool:
        return any(frame.keyframe for frame in self.frames)


class Cutter:
    """Takes the lead track's frames in order, each with its final duration."""

    def __init__(self, limits: CutLimits) -> None:
        self._limits = limits
        self._part = Part()
        self.segment_span = 0
        """How much of the open segment's time is in frames taken."""
        self._headless = False
        """The open segment does not begin with a keyframe, so the next keyframe ends it, however short it is."""

    def push(self, frame: Frame, keyframe_follows: bool) -> list[Part]:
        """Add a frame; returns the parts that this completes: none, one, or two around a frame that does not fit."""
        limits, done = self._limits, []
        if self.segment_span and self.segment_span + frame.duration > limits.segment_max:
            done.append(self._close(ends_segment=True, forced=self._at_limit))
        elif self._part.frames and self._part.span + frame.duration > limits.part_target:
            done.append(self._close_full())
        if not self.segment_span:
            self._headless = not frame.keyframe
        part = self._part
        part.frames.append(frame)
        part.span += frame.duration
        self.segment_span += frame.duration
        if keyframe_follows and (self.segment_span >= limits.segment_min or self._headless):
            done.append(self._close(ends_segment=True))
        elif part.span >= limits.part_target or (
            part.span >= _LONG_ENOUGH * limits.part_target and part.span + frame.duration > limits.part_target
        ):
            done.append(self._close_full())
        return done

    def flush(self) -> Part | None:
        """The open part as it is, which ends its segment; None when nothing is open."""
        return self._close(ends_segment=True) if self._part.frames else None

    @property
    def _at_limit(self) -> bool:
        """The next part might take the segment over its limit."""
        return self.segment_span + self._limits.part_target > self._limits.segment_max

    def _close_full(self) -> Part:
        at_limit = self._at_limit
        return self._close(ends_segment=at_limit, forced=at_limit)

    def _close(self, ends_segment: bool, forced: bool = False) -> Part:
        part = self._part
        part.forced = forced
        part.duration = min(part.span, self._limits.part_target)
        part.ends_segment = ends_segment
        if ends_segment:
            self.segment_span = 0
        self._part = Part()
        return part

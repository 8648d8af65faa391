"""Cuts audio where the video beside it is cut, to within a frame. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from ingest.hls.entries import Slot
from ingest.media.fragment import Frame

_NEAR_FRAMES = 2
"""So many frames' time may be missing where a part begins or ends: sound is not cut exactly where the picture is."""
_PATIENCE_S = 1.0
"""How far the video may be ahead before the audio it lacks is given up."""


class Followed(NamedTuple):
    """A part of audio; no frames when there are none for its time. A slot may be in several parts."""

    slot: Slot
    frames: list[Frame]
    ends_segment: bool


class _Mark(NamedTuple):
    slot: Slot
    end: int
    """Of the video's part, in samples."""
    ends_segment: bool


class Follower:
    """A frame belongs to the part in which it starts; a part shorter than a frame gets the frame after it."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._frames: deque[Frame] = deque()
        self._marks: deque[_Mark] = deque()
        self._end = 0

    @property
    def due(self) -> bool:
        """A part may be complete."""
        return bool(self._marks) and self._end >= self._marks[0].end

    def push(self, frame: Frame) -> None:
        """Take the next frame."""
        self._frames.append(frame)
        self._end = frame.dts + frame.duration

    def mark(self, slot: Slot, end_s: float, ends_segment: bool) -> None:
        """The video has a part that ends there."""
        self._marks.append(_Mark(slot, round(end_s * self._sample_rate), ends_segment))

    def take(self) -> list[Followed]:
        """The parts that are complete, or whose frames did not come in time."""
        parts = []
        while self._marks:
            mark = self._marks[0]
            complete = self._frames and self._end >= mark.end
            if not complete and self._marks[-1].end - mark.end < _PATIENCE_S * self._sample_rate:
                break
            parts += self._cut(self._marks.popleft(), all_frames=False)
        return parts

    def flush(self) -> list[Followed]:
        """Every part that is still open; the last gets all that is left. Sound beyond the picture's end is dropped."""
        parts = []
        while self._marks:
            mark = self._marks.popleft()
            parts += self._cut(mark, all_frames=not self._marks)
        return parts

    def _cut(self, mark: _Mark, all_frames: bool) -> list[Followed]:
        frames: list[Frame] = []
        while self._frames:
            first = self._frames[0]
            if not all_frames and first.dts >= mark.end + (0 if frames else first.duration):
                break
            frames.append(self._frames.popleft())
        return [*self._around_gaps(mark, frames)]

    def _around_gaps(self, mark: _Mark, frames: list[Frame]) -> Iterator[Followed]:
        """The part, and as parts of their own what is missing of its time before and after its frames."""
        start = mark.end - round(mark.slot.duration_s * self._sample_rate)
        before = after = 0
        if frames:
            before, after = (
                missing if missing > _NEAR_FRAMES * frames[0].duration else 0
                for missing in (frames[0].dts - start, mark.end - frames[-1].dts - frames[-1].duration)
            )
        if before + after >= mark.end - start:
            before = after = 0  # they come late, from the time of a part before
        spans = [(before, []), (mark.end - start - before - after, frames), (after, [])]
        there = [(span / self._sample_rate, what) for span, what in spans if span > 0]
        for index, (duration_s, what) in enumerate(there):
            slot = mark.slot._replace(duration_s=duration_s) if len(there) > 1 else mark.slot
            yield Followed(slot, what, mark.ends_segment and index == len(there) - 1)

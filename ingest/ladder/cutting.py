"""Cuts a rung where the source is cut, exactly. Pure; times in the source's timescale."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ingest.hls.entries import Slot
from ingest.media.fragment import Frame


class Cut(NamedTuple):
    """A part of the rung; no frames when there are none for its time."""

    slot: Slot
    frames: list[Frame]
    ends_segment: bool


class _Mark(NamedTuple):
    slot: Slot
    last_dts: int
    """Of the source's last frame in the part."""
    end: int
    ends_segment: bool


class RungCutter:
    """A frame's duration lasts until the rung's next, or the end of the part."""

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self._marks: deque[_Mark] = deque()
        self._done = -1

    @property
    def behind(self) -> int:
        """How much of what the source has is not done yet, in ticks."""
        return max(0, self._marks[-1].last_dts - self._done) if self._marks else 0

    def push(self, frame: Frame) -> None:
        """A frame of the rung, in the place of the source's with this dts."""
        self._frames.append(frame)
        self._done = frame.dts

    def skip(self, dts: int) -> None:
        """The rung leaves this frame of the source out."""
        self._done = dts

    def mark(self, slot: Slot, last_dts: int, end: int, ends_segment: bool) -> None:
        """The source has a part that ends there."""
        self._marks.append(_Mark(slot, last_dts, end, ends_segment))

    def take(self) -> list[Cut]:
        """The parts that are complete."""
        cuts = []
        while self._marks and self._done >= self._marks[0].last_dts:
            mark = self._marks.popleft()
            frames: list[Frame] = []
            while self._frames and self._frames[0].dts < mark.end:
                frame = self._frames.popleft()
                if frames:
                    frames[-1] = frames[-1].lasting_until(frame.dts)
                frames.append(frame)
            if frames:
                frames[-1] = frames[-1].lasting_until(mark.end)
            cuts.append(Cut(mark.slot, frames, mark.ends_segment))
        return cuts

"""One Representation's segments in one Period (ISO/IEC 23009-1 5.3.9.6: SegmentTimeline). Pure."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ingest.hls.entries import Ticks


class Run(NamedTuple):
    """An S element: segments of the same duration, in ticks."""

    start: int
    duration: int
    segments: int

    @property
    def end(self) -> int:
        return self.start + self.duration * self.segments


class Line:
    """Has no holes, which players would wait at: a segment lasts until the next one begins."""

    def __init__(self) -> None:
        self._settled: deque[Run] = deque()
        self._last: Ticks | None = None

    def add(self, ticks: Ticks) -> None:
        """The next segment."""
        if self._last:
            self._settle(self._last.start, max(1, ticks.start - self._last.start))
        self._last = ticks

    def correct(self, ticks: Ticks) -> None:
        """The last segment was not complete, and lies there."""
        self._last = ticks

    def drop(self) -> None:
        """Let go of the oldest segment."""
        if not self._settled:
            self._last = None
            return
        start, duration, segments = self._settled.popleft()
        if segments > 1:
            self._settled.appendleft(Run(start + duration, duration, segments - 1))

    def runs(self) -> list[Run]:
        if self._last is None:
            return []
        last = Run(self._last.start, max(1, self._last.end - self._last.start), 1)
        before = self._settled[-1] if self._settled else None
        if before and _continues(before, last.start, last.duration):
            return [*list(self._settled)[:-1], before._replace(segments=before.segments + 1)]
        return [*self._settled, last]

    @property
    def end(self) -> int:
        return self._last.end if self._last else 0

    def _settle(self, start: int, duration: int) -> None:
        before = self._settled[-1] if self._settled else None
        if before and _continues(before, start, duration):
            self._settled[-1] = before._replace(segments=before.segments + 1)
        else:
            self._settled.append(Run(start, duration, 1))


def _continues(run: Run, start: int, duration: int) -> bool:
    return (run.end, run.duration) == (start, duration)

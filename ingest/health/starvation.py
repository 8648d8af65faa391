"""Whether media keeps up with the clock, seen continuously and not only when a segment closes. Pure."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

WINDOW_S = 5.0
STARTS_S = 2.0
"""Media behind the clock by this much within the window: a stall of 2 s, or 3/5 of real time for 5 s."""
ENDS_S = 0.5
STEP_S = 0.1
"""Points closer together are not kept, so that the window holds at most so many."""


class Point(NamedTuple):
    now_s: float
    media_s: float
    """End of the media that is there."""


class Starvation:
    """Follow it with `at`; `since_s` is when media fell behind, None while it keeps up."""

    def __init__(self) -> None:
        self._points: deque[Point] = deque()
        self.since_s: float | None = None
        self.behind_s = 0.0
        """At the last point, within the window."""

    def restart(self) -> None:
        """What comes has nothing to do with what was: a publisher came or went. Ends a starvation."""
        self._points.clear()
        self.since_s = None
        self.behind_s = 0.0

    def at(self, now_s: float, media_s: float) -> bool:
        """One more look, also while nothing arrives; True when a starvation began or ended. Times only move on."""
        points = self._points
        if not points or now_s - points[-1].now_s >= STEP_S:
            points.append(Point(now_s, media_s))
        while len(points) > 2 and now_s - points[1].now_s >= WINDOW_S:
            points.popleft()
        # The first piece of a new publisher may come as a burst: only what is behind any earlier point counts.
        self.behind_s = max((now_s - point.now_s) - (media_s - point.media_s) for point in points)
        if self.since_s is None and self.behind_s >= STARTS_S:
            self.since_s = now_s - self.behind_s
            return True
        if self.since_s is not None and self.behind_s <= ENDS_S:
            self.since_s = None
            return True
        return False

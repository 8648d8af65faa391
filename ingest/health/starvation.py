"""Whether media keeps up with the clock, seen continuously and not only when a segment closes. Pure."""

from __future__ import annotations

from collections import deque

WINDOW_S = 5.0
STARTS_S = 2.0
"""Media behind the clock by this much within the window: a stall of 2 s, or 3/5 of real time for 5 s."""
ENDS_S = 0.5


class Starvation:
    """Follow it with `at`; `since_s` is when media fell behind, None while it keeps up."""

    def __init__(self) -> None:
        self.since_s: float | None = None
        self.behind_s = 0.0
        """At the last look, within the window."""
        self._offsets: deque[tuple[float, float]] = deque()
        """When, and clock minus media: those of the window that could still become its least, in order."""

    def restart(self) -> None:
        """What comes has nothing to do with what was: a publisher came or went. Ends a starvation."""
        self._offsets.clear()
        self.since_s = None
        self.behind_s = 0.0

    def at(self, now_s: float, media_s: float) -> bool:
        """One more look, also while nothing arrives; True when a starvation began or ended. Times only move on.

        `media_s` is the end of the media that is there.
        """
        offsets, offset_s = self._offsets, now_s - media_s
        while offsets and offsets[-1][1] >= offset_s:
            offsets.pop()
        offsets.append((now_s, offset_s))
        while now_s - offsets[0][0] > WINDOW_S:
            offsets.popleft()
        self.behind_s = offset_s - offsets[0][1]
        if self.since_s is None and self.behind_s >= STARTS_S:
            self.since_s = now_s - self.behind_s
            return True
        if self.since_s is not None and self.behind_s <= ENDS_S:
            self.since_s = None
            return True
        return False

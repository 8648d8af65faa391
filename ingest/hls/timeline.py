"""A stream's time, cut into segments and parts: what all its renditions share."""

from __future__ import annotations

from collections import deque

from ingest.hls.entries import Slot, Span


class Timeline:
    """Written by the rendition that leads; the others fill the same slots, sooner or later."""

    def __init__(self, first_number: int, first_discontinuities: int, target_s: int, listed_s: float) -> None:
        """`first_discontinuities` over 0 goes on with a stream that a killed process left."""
        self.target_s = target_s
        """Target duration of every playlist, for the stream's whole life; no segment may be longer, rounded."""
        self.part_target_s = 0.0
        self.next_number = first_number
        """Of the segment that opens next."""
        self.first_discontinuities = first_discontinuities
        self.discontinuities = first_discontinuities - 1
        """Discontinuity sequence number of what comes next."""
        self.closed: deque[Span] = deque()
        """As far back as playlists reach."""
        self.slots: list[Slot] = []
        """Of the open segment."""
        self._listed_s = listed_s
        self._closed_s = 0.0
        self._open_s = 0.0

    def begin(self, part_target_s: float) -> None:
        """What follows does not continue what was."""
        self.discontinuities += 1
        self.part_target_s = part_target_s

    def open_slot(self, duration_s: float, starts_at_s: float, media_s: float) -> Slot:
        """The next part's place. The last two are the part's own, and used when it opens a segment."""
        if self.slots:
            first = self.slots[0]
            slot = first._replace(part=len(self.slots), duration_s=duration_s)
        else:
            slot = Slot(self.next_number, 0, duration_s, starts_at_s, media_s, self.discontinuities)
            self.next_number += 1
            self._open_s = 0.0
        self.slots.append(slot)
        self._open_s += duration_s
        return slot

    @property
    def oldest_number(self) -> int:
        """Of what playlists list or will list."""
        if self.closed:
            return self.closed[0].number
        return self.slots[0].number if self.slots else self.next_number

    def find(self, number: int) -> Span | None:
        """A closed segment that is listed."""
        index = number - self.closed[0].number if self.closed else -1
        return self.closed[index] if 0 <= index < len(self.closed) else None

    def close_segment(self) -> Span:
        """Raises ValueError when no segment is open."""
        if not self.slots:
            raise ValueError("no segment is open")
        first = self.slots[0]
        span = Span(first.number, first.starts_at_s, first.media_s, first.discontinuities, self._open_s)
        self.slots = []
        self.closed.append(span)
        self._closed_s += span.duration_s
        while self._closed_s - self.closed[0].duration_s > self._listed_s:
            self._closed_s -= self.closed.popleft().duration_s
        return span

"""A rendition's closed segments: what is listed, what can still be fetched, what is in memory and what on disk."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ingest.hls.entries import SegmentEntry
from ingest.hls.playlist import SKIP_UNTIL
from ingest.hls.shelf import Kept, Shelf, Slice

_IN_MEMORY = 2
"""Closed segments that stay in memory, for players near the live edge."""
_PEAK_TARGETS = (0.5, 1.5)
"""Target durations that a run of segments lasts of which the peak bit rate is taken (RFC 8216bis 4.1)."""
_ROUNDING_S = 0.001


@dataclass(frozen=True)
class WindowLimits:
    """Durations in seconds."""

    listed_s: float = 7200.0
    """How far back the playlist reaches."""
    unlisted_s: float = 60.0
    """How long a segment that is on disk can still be fetched after it left the playlist."""
    unstored_s: float = 16.0
    """How far back the playlist reaches when the disk has taken nothing for as long: this is held in memory."""
    target_s: int = 4
    """Target duration. It must never change (RFC 8216bis 6.2.1), and a stream is seen before its GOPs are known: so it
    is the longest GOP that is cut at keyframes only, and longer ones are cut by force. Classic players stay three of it
    behind, delta updates reach back six, and `unstored_s` must hold more than three."""


class Backlog:
    """Segment numbers are contiguous; gaps are entries too."""

    def __init__(self, shelf: Shelf, limits: WindowLimits) -> None:
        self.listed: deque[SegmentEntry] = deque()
        self.listed_s = 0.0
        self.listed_size = 0
        """Bytes."""
        self.peak = 0.0
        """Highest bit rate of any run of segments so far, bit/s; 0 until there is one that counts."""
        self._shelf = shelf
        self._limits = limits
        self._unlisted: deque[SegmentEntry] = deque()
        self._unlisted_s = 0.0
        self._kept: dict[int, Kept] = {}
        """What can be fetched; gaps that have nothing are not in it."""
        self._in_memory: deque[SegmentEntry] = deque()
        """The newest segments, and all that the disk has not taken yet."""
        self._near = 0
        """Entries at the live edge that have their parts."""
        self._near_s = 0.0

    def add(self, entry: SegmentEntry, data: bytes, target_s: int) -> bool:
        """Take the next segment; returns whether the disk takes segments."""
        if data:
            self._kept[entry.number] = self._shelf.put(data)
        self.listed.append(entry)
        self.listed_s += entry.duration_s
        self.listed_size += entry.size
        self._measure(target_s)
        self._forget_parts(entry, target_s)
        unstored_s = self._spare_memory(entry)
        self._roll(self._limits.unstored_s if unstored_s > self._limits.unstored_s else self._limits.listed_s)
        return self._shelf.takes

    @property
    def oldest(self) -> SegmentEntry:
        """That can be fetched."""
        return self._unlisted[0] if self._unlisted else self.listed[0]

    def find(self, number: int) -> SegmentEntry | None:
        for entries in (self.listed, self._unlisted):
            index = number - entries[0].number if entries else -1
            if 0 <= index < len(entries):
                return entries[index]
        return None

    def segment(self, number: int) -> bytes | Slice | None:
        """None when it is unknown, or a gap with nothing in it."""
        entry = self.find(number)
        return self._bytes(entry, 0, entry.size) if entry else None

    def part(self, number: int, index: int) -> bytes | Slice | None:
        """None when it is unknown, far from the live edge, or a gap."""
        entry = self.find(number)
        if entry is None or index >= len(entry.parts):
            return None
        return self._bytes(entry, entry.parts[index].offset, entry.parts[index].size)

    def clear(self) -> None:
        self.listed.clear()
        self._unlisted.clear()
        self._kept.clear()
        self._in_memory.clear()

    def _bytes(self, entry: SegmentEntry, offset: int, size: int) -> bytes | Slice | None:
        kept = self._kept.get(entry.number)
        return kept.read(offset, size) if kept and size else None

    def _spare_memory(self, newest: SegmentEntry) -> float:
        """Let go of the bytes that are on disk too, but for the newest; returns how long those last that are not."""
        self._in_memory.append(newest)
        while len(self._in_memory) > _IN_MEMORY and self._is_stored(self._in_memory[0]):
            if kept := self._kept.get(self._in_memory.popleft().number):
                kept.data = None
        return sum(entry.duration_s for entry in self._in_memory if not self._is_stored(entry))

    def _is_stored(self, entry: SegmentEntry) -> bool:
        kept = self._kept.get(entry.number)
        return kept is None or kept.file is not None

    def _measure(self, target_s: int) -> None:
        """Take the runs that end with the newest segment into the peak."""
        least, most = _PEAK_TARGETS
        size, lasting_s = 0, 0.0
        for entry in reversed(self.listed):
            size += entry.size
            lasting_s += entry.duration_s
            if lasting_s > most * target_s + _ROUNDING_S:
                break
            if lasting_s >= least * target_s - _ROUNDING_S:
                self.peak = max(self.peak, size * 8 / lasting_s)

    def _forget_parts(self, newest: SegmentEntry, target_s: int) -> None:
        """Of entries so far back that no player asks for their parts."""
        self._near += 1
        self._near_s += newest.duration_s
        while self._near_s - self.listed[-self._near].duration_s >= SKIP_UNTIL * target_s:
            self._near_s -= self.listed[-self._near].duration_s
            self.listed[-self._near] = self.listed[-self._near].without_parts()
            self._near -= 1

    def _roll(self, listed_s: float) -> None:
        """Let go of what is too old: from the playlist, then from disk."""
        while self.listed_s - self.listed[0].duration_s > listed_s:
            gone = self.listed.popleft()
            self.listed_s -= gone.duration_s
            self.listed_size -= gone.size
            if self._near > len(self.listed):
                self._near -= 1
                self._near_s -= gone.duration_s
            self._unlisted.append(gone)
            self._unlisted_s += gone.duration_s
            if not self._is_stored(gone):
                self._let_go(gone)
        while self._unlisted and self._unlisted_s - self._unlisted[0].duration_s > self._limits.unlisted_s:
            gone = self._unlisted.popleft()
            self._unlisted_s -= gone.duration_s
            self._let_go(gone)

    def _let_go(self, entry: SegmentEntry) -> None:
        if kept := self._kept.pop(entry.number, None):
            self._shelf.let_go(kept)

"""One stream's rolling window: written by the packager, read by the origin."""

from __future__ import annotations

import asyncio
import math
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.hls.entries import PartEntry, Rendition, SegmentEntry
from ingest.hls.playlist import MediaState, media_playlist, multivariant_playlist
from ingest.hls.shelf import Shelf, Slice

_ADVANCE_PARTS_S = 3.0
"""Parts further ahead than this are not waited for (RFC 8216bis 6.2.5.2: Advance Part Limit)."""
_GZIP = 31
_CHUNKS_KEPT = 2
"""Closed segments of which the parts stay in memory, for players near the live edge."""


@dataclass(frozen=True)
class WindowLimits:
    """Durations in seconds."""

    listed_s: float = 60.0
    """How far back the playlist reaches."""
    unlisted_s: float = 60.0
    """How long a segment can still be fetched after it left the playlist."""
    unstored_s: float = 16.0
    """How far back the playlist reaches when the disk takes nothing: this is held in memory."""
    target_s: int = 4
    """The least target duration; it grows with longer segments."""


@dataclass
class _Kept:
    """A closed segment that can be fetched."""

    entry: SegmentEntry
    chunks: list[bytes] | None
    """Its parts while they are in memory."""
    stored: bool


@dataclass
class _Open:
    number: int
    init: int
    discontinuity: bool
    starts_at_s: float
    parts: list[PartEntry] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0
    duration_s: float = 0.0

    def entry(self) -> SegmentEntry:
        return SegmentEntry(
            self.number, self.init, self.discontinuity, self.starts_at_s, self.duration_s, tuple(self.parts)
        )


class Playback:
    """Every change wakes all who wait, once, and a playlist is rendered once a change whoever asks."""

    def __init__(self, stream_id: str, shelf: Shelf, limits: WindowLimits | None = None) -> None:
        self.stream_id = stream_id
        self.ended = False
        self.part_target_s = 0.0
        self._shelf = shelf
        self._limits = limits or WindowLimits()
        self.target_s = self._limits.target_s
        self._next_number, self._next_init = shelf.take_over()
        self._discontinuity = self._next_init > 0
        self._inits: dict[int, bytes] = {}
        self._rendition: Rendition | None = None
        self._kept: deque[_Kept] = deque()
        self._listed: deque[SegmentEntry] = deque()
        self._listed_s = 0.0
        self._open: _Open | None = None
        self._rendered: dict[tuple[bool, bool], bytes] = {}
        self._changed = asyncio.Event()

    # The packager's side

    def begin(self, init: bytes, rendition: Rendition, part_target_s: float) -> int:
        """What follows needs this init segment; a discontinuity unless it is the first. Returns its number."""
        number = self._next_init
        self._next_init += 1
        self._discontinuity = number > 0
        self._inits[number] = init
        self._shelf.put_init(number, init)
        self._rendition = rendition
        self.part_target_s = part_target_s
        return number

    def add_part(self, data: bytes, duration_s: float, span_s: float, independent: bool, starts_at_s: float) -> None:
        """Publish a part. `span_s` is its share of the segment; `starts_at_s` is used if it opens a segment."""
        segment = self._open
        if segment is None:
            segment = self._open = _Open(self._next_number, self._next_init - 1, self._discontinuity, starts_at_s)
            self._next_number += 1
            self._discontinuity = False
        segment.parts.append(PartEntry(duration_s, independent, segment.size, len(data)))
        segment.chunks.append(data)
        segment.size += len(data)
        segment.duration_s += span_s
        self.target_s = max(self.target_s, round(segment.duration_s))

    def close_segment(self) -> tuple[int, bool]:
        """Close the open segment; returns its number and whether it is on disk. Needs a part since the last one."""
        segment, self._open = self._open, None
        if segment is None:
            raise ValueError("no segment is open")
        stored = self._shelf.put_segment(segment.number, segment.chunks)
        entry = segment.entry()
        self._kept.append(_Kept(entry, segment.chunks, stored))
        self._listed.append(entry)
        self._listed_s += entry.duration_s
        self._roll(stored)
        return segment.number, stored

    def announce(self) -> None:
        """Show what was added: said once after parts and closings that belong together."""
        self._rendered.clear()
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()

    def end(self) -> None:
        """Nothing follows. The open segment must be closed."""
        self.ended = True
        self.announce()

    def remove(self) -> None:
        """Forget everything, on disk too."""
        self._kept.clear()
        self._listed.clear()
        self._inits.clear()
        self._shelf.remove_all()

    # The origin's side

    @property
    def ready(self) -> bool:
        return self._rendition is not None and bool(self._listed or self._open)

    def multivariant(self) -> str:
        """Call only when ready."""
        if self._rendition is None:
            raise ValueError("nothing to play yet")
        return multivariant_playlist(self._rendition, self.entries())

    def playlist(self, skip: bool, gzip: bool) -> bytes:
        """The media playlist in UTF-8, gzipped if asked."""
        known = self._rendered.get((skip, gzip))
        if known is None:
            if gzip:
                known = zlib.compress(self.playlist(skip, gzip=False), 1, _GZIP)
            else:
                known = media_playlist(self._state(), skip).encode()
            self._rendered[skip, gzip] = known
        return known

    def is_ahead(self, number: int, index: int | None) -> bool:
        """True for a playlist too far in the future to wait for."""
        live = self._open.number if self._open else self._next_number
        if number > live + 1:
            return True
        if index is None or number < live:
            return False
        present = len(self._open.parts) if self._open and number == live else 0
        return index > present + math.ceil(_ADVANCE_PARTS_S / self.part_target_s)

    def has(self, number: int, index: int | None) -> bool:
        """True when the playlist has this segment, or this part of it, or anything after.

        A part past the last one of a closed segment stands for the next segment's first (RFC 8216bis 6.2.5.2).
        """
        kept = self._find(number)
        if index is not None and kept is not None and index >= len(kept.entry.parts):
            number, index = number + 1, 0
        live = self._open.number if self._open else self._next_number
        return number < live or (index is not None and number == live and index < len(self._open_parts()))

    def is_hinted(self, number: int, index: int) -> bool:
        """True for the part that the playlist's preload hint names."""
        return (number, index) == ((self._open.number, len(self._open.parts)) if self._open else (self._next_number, 0))

    async def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until it holds or the stream is over; False when the time ran out."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition() and not self.ended:
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def init(self, number: int) -> bytes | None:
        return self._inits.get(number)

    def segment(self, number: int) -> bytes | Slice | None:
        """A closed segment; None when it is unknown."""
        kept = self._find(number)
        if kept is None:
            return None
        if kept.chunks is not None:
            return b"".join(kept.chunks)
        return self._shelf.segment(number, 0, kept.entry.size)

    def part(self, number: int, index: int) -> bytes | Slice | None:
        """A published part; None when it is unknown."""
        if self._open and number == self._open.number:
            return self._open.chunks[index] if index < len(self._open.chunks) else None
        kept = self._find(number)
        if kept is None or index >= len(kept.entry.parts):
            return None
        if kept.chunks is not None:
            return kept.chunks[index]
        part = kept.entry.parts[index]
        return self._shelf.segment(number, part.offset, part.size)

    def _open_parts(self) -> list[PartEntry]:
        return self._open.parts if self._open else []

    def entries(self) -> list[SegmentEntry]:
        """What the playlist lists; the open segment is the last."""
        return [*self._listed, self._open.entry()] if self._open else [*self._listed]

    def _state(self) -> MediaState:
        return MediaState(
            target_s=self.target_s,
            part_target_s=self.part_target_s,
            closed=self._listed,
            open=self._open.entry() if self._open else None,
            next_number=self._next_number,
            ended=self.ended,
        )

    def _find(self, number: int) -> _Kept | None:
        index = number - self._kept[0].entry.number if self._kept else -1
        return self._kept[index] if 0 <= index < len(self._kept) else None

    def _roll(self, stored: bool) -> None:
        """Let go of what is too old: from the playlist, from memory, from disk."""
        listed_s = self._limits.listed_s if stored else self._limits.unstored_s
        while self._listed_s - self._listed[0].duration_s > listed_s:
            self._listed_s -= self._listed.popleft().duration_s
        if len(self._kept) > _CHUNKS_KEPT and (older := self._kept[-1 - _CHUNKS_KEPT]).stored:
            older.chunks = None
        kept_s = sum(kept.entry.duration_s for kept in self._kept) - self._listed_s
        while self._kept[0].entry.number < self._listed[0].number and (
            kept_s - self._kept[0].entry.duration_s > self._limits.unlisted_s or not self._kept[0].stored
        ):
            gone = self._kept.popleft()
            kept_s -= gone.entry.duration_s
            self._shelf.remove_segment(gone.entry.number)
        for number in [number for number in self._inits if number < self._kept[0].entry.init]:
            del self._inits[number]
            self._shelf.remove_init(number)

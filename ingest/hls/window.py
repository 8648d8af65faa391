"""One rendition's rolling window: written by the packager, read by the origin."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ingest.hls.backlog import Backlog, WindowLimits
from ingest.hls.entries import NOWHERE, PartEntry, Rendition, SegmentEntry, Slot, Span, Ticks
from ingest.hls.multivariant import Measured
from ingest.hls.playlist import MediaState
from ingest.hls.rendered import Rendered
from ingest.hls.shelf import Shelf, Slice
from ingest.hls.sink import SegmentSink
from ingest.hls.timeline import Timeline

_ADVANCE_PARTS = 3.0
"""Parts of a second or more that are waited for, and of shorter ones as many as last as long in seconds (RFC 8216bis
6.2.5.2: Advance Part Limit)."""
_ROUNDING_S = 1e-6


@dataclass
class _Open:
    slot: Slot
    """Of its first part."""
    init: int
    """At its first part: it may be closed after the rendition began anew."""
    parts: list[PartEntry] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0
    duration_s: float = 0.0
    ticks: Ticks | None = None


class Window:
    """Every change wakes all who wait, once, and a playlist is rendered once a change whoever asks."""

    def __init__(
        self,
        rendition: Rendition,
        timeline: Timeline,
        shelf: Shelf,
        limits: WindowLimits,
        first_init: int,
        sinks: Sequence[SegmentSink],
        reports: Callable[[Window], str],
    ) -> None:
        """`reports` gives the playlist's lines on the stream's other renditions. Call `begin` next."""
        self.rendition = rendition
        self.ended = False
        self.absent = False
        """The rendition has nothing at present: its playlist goes on with gaps."""
        self.changed = False
        """Since the last announcement."""
        self._timeline = timeline
        self._sinks = sinks
        self._reports = reports
        self._backlog = Backlog(shelf, limits)
        self._inits: dict[int, bytes] = {}
        self._renditions: dict[int, Rendition] = {}
        """What each init segment is of."""
        self._init = first_init - 1
        self._begun_at = -1
        """Discontinuity sequence number at the last `begin`."""
        self._open: _Open | None = None
        self._next_number = timeline.oldest_number
        self._before = max(0, timeline.first_discontinuities - 1), -1
        """Discontinuity sequence number and init of the last closed segment."""
        self._dependent = -1
        """The last segment that does not begin with a keyframe."""
        self._rendered = Rendered()
        self._wake = asyncio.Event()
        self._watchers: list[Callable[[Window], None]] = []

    # The packager's side

    def begin(self, rendition: Rendition, init: bytes) -> None:
        """What follows needs this init segment. A rendition that was absent is back."""
        self.absent = False
        self.rendition = rendition
        begun_at, self._begun_at = self._begun_at, self._timeline.discontinuities
        if begun_at == self._begun_at and self._inits.get(self._init) == init:
            return
        self._init += 1
        self._inits[self._init] = init
        self._renditions[self._init] = rendition
        for sink in self._sinks:
            sink.begin(rendition, self._init, init)

    def add_part(self, slot: Slot, data: bytes, independent: bool, ticks: Ticks | None = None) -> None:
        """Publish a part; no data, which lies nowhere, is a gap. What is missing before it becomes a gap too."""
        if self._open and self._open.slot.number != slot.number:
            self._complete(self._open)
        segment = self._open
        if segment is None:
            self._fill(slot.number)
            segment = self._open = _Open(slot, self._init)
            self._next_number = slot.number + 1
        segment.parts.append(PartEntry(slot.duration_s, independent and bool(data), segment.size, len(data)))
        segment.chunks.append(data)
        segment.size += len(data)
        segment.duration_s += slot.duration_s
        if ticks:
            before = segment.ticks or ticks
            segment.ticks = Ticks(min(before.start, ticks.start), max(before.end, ticks.end))
        self.changed = True

    def close_segment(self) -> bool:
        """Close the open segment; returns whether the disk takes segments. Raises ValueError when none is open."""
        segment, self._open = self._open, None
        if segment is None:
            raise ValueError("no segment is open")
        # EXT-X-GAP says that a segment has no media data (4.4.4.7). Where some of it is missing, its parts say which.
        entry = self._entry(segment, gap=not segment.size)
        if not entry.independent:
            self._dependent = entry.number
        return self._append(entry, b"".join(segment.chunks))

    def leave(self) -> None:
        """The rendition has nothing until `begin` is called again."""
        self.absent = True

    def come_back(self) -> None:
        """The rendition goes on from the segment that opens next."""
        self.follow()
        self.absent = False

    def follow(self) -> None:
        """Fill with gaps what an absent rendition lacks of the stream's time so far."""
        slots = self._timeline.slots
        if self._open and not (slots and slots[0].number == self._open.slot.number):
            self._complete(self._open)
        for slot in slots[len(self._open.parts) if self._open else 0 :]:
            self.add_part(slot, b"", independent=False)
        if not slots:
            self._fill(self._timeline.next_number)

    def announce(self) -> None:
        """Show what was added: said once after parts and closings that belong together."""
        self.changed = False
        self._rendered.change()
        self._wake.set()
        self._wake.clear()
        for watcher in [*self._watchers]:
            watcher(self)

    def end(self) -> None:
        """Nothing follows: what the rendition lacks of the stream's time is a gap."""
        self.follow()
        self.ended = True
        self.announce()

    def remove(self) -> None:
        """Forget everything in memory."""
        self._backlog.clear()
        self._inits.clear()
        self._renditions.clear()

    # The origin's side

    @property
    def ready(self) -> bool:
        return bool(self._backlog.listed or self._open)

    @property
    def oldest_number(self) -> int:
        """Of what is listed; call only when ready."""
        return self._backlog.listed[0].number if self._backlog.listed else self.last[0]

    @property
    def independent(self) -> bool:
        """Every listed segment can be decoded by itself."""
        listed = self._backlog.listed
        return not listed or self._dependent < listed[0].number

    @property
    def last(self) -> tuple[int, int]:
        """Number and index of the newest part; call only when ready."""
        if self._open:
            return self._open.slot.number, len(self._open.parts) - 1
        newest = self._backlog.listed[-1]
        return newest.number, max(0, len(newest.parts) - 1)

    @property
    def next_init(self) -> int:
        """The first init number that is free."""
        return self._init + 1

    @property
    def target_s(self) -> int:
        return self._timeline.target_s

    def measured(self) -> Measured:
        backlog = self._backlog
        size, lasting_s = backlog.listed_size, backlog.listed_s
        if not backlog.peak and self._open:
            size, lasting_s = size + self._open.size, lasting_s + self._open.duration_s
        average = size * 8 / lasting_s if lasting_s else 0.0
        return Measured(self.rendition, max(backlog.peak, average), average)

    def playlist(self, skip: bool, gzip: bool) -> bytes:
        """The media playlist in UTF-8, gzipped if asked."""
        return self._rendered.known(skip, gzip) or self._rendered.render(self._state(), skip, gzip)

    def is_ahead(self, number: int, index: int | None) -> bool:
        """True for what a playlist request may not wait for: too far in the future."""
        live, present = self._live
        if number > live + 1:
            return True
        if index is None or number < live:
            return False
        advance = math.ceil(_ADVANCE_PARTS / min(1.0, self._timeline.part_target_s))
        return index > (present if number == live else 0) + advance

    def has(self, number: int, index: int | None) -> bool:
        """True when the playlist has this segment, or this part of it, or anything after.

        A part past the last one of a closed segment stands for the next segment's first (RFC 8216bis 6.2.5.2).
        """
        entry = self._backlog.find(number)
        if index is not None and entry is not None and index >= len(entry.parts):
            number, index = number + 1, 0
        live, present = self._live
        return number < live or (index is not None and number == live and index < present)

    def is_hinted(self, number: int, index: int) -> bool:
        """True for the part that the playlist's preload hint names."""
        return (number, index) == self._live

    def watch(self, watcher: Callable[[Window], None]) -> None:
        """Have it called at every announcement until `unwatch`."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Callable[[Window], None]) -> None:
        self._watchers.remove(watcher)

    async def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until it holds or the stream is over; False when the time ran out."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition() and not self.ended:
                    await self._wake.wait()
        except TimeoutError:
            return False
        return True

    def init(self, number: int) -> bytes | None:
        return self._inits.get(number)

    def rendition_of(self, init: int) -> Rendition:
        """As it was when this init segment began; call for those of `find`'s entries."""
        return self._renditions[init]

    def find(self, number: int) -> SegmentEntry | None:
        """A segment that can be fetched, or the open one."""
        if self._open and number == self._open.slot.number:
            return self._entry(self._open)
        return self._backlog.find(number)

    def growing(self, number: int) -> Sequence[bytes] | None:
        """The parts of the open segment so far; None when it is not this one."""
        return self._open.chunks if self._open and number == self._open.slot.number else None

    def segment(self, number: int) -> bytes | Slice | None:
        """A closed segment; None when it is unknown, or a gap."""
        return self._backlog.segment(number)

    def part(self, number: int, index: int) -> bytes | Slice | None:
        """A published part near the live edge; None when it is unknown, or a gap."""
        if self._open and number == self._open.slot.number:
            return (self._open.chunks[index] or None) if index < len(self._open.chunks) else None
        return self._backlog.part(number, index)

    def entries(self) -> list[SegmentEntry]:
        """What the playlist lists; the open segment is the last."""
        listed = self._backlog.listed
        return [*listed, self._entry(self._open)] if self._open else [*listed]

    @property
    def _live(self) -> tuple[int, int]:
        """Number and index of the part that comes next."""
        return (self._open.slot.number, len(self._open.parts)) if self._open else (self._next_number, 0)

    def _state(self) -> MediaState:
        return MediaState(
            target_s=self._timeline.target_s,
            part_target_s=self._timeline.part_target_s,
            closed=self._backlog.listed,
            open=self._entry(self._open) if self._open else None,
            next_number=self._next_number,
            ended=self.ended,
            reports=self._reports(self),
        )

    def _entry(self, segment: _Open, gap: bool = False) -> SegmentEntry:
        slot = segment.slot
        span = Span(slot.number, slot.starts_at_s, slot.media_s, slot.discontinuities, segment.duration_s)
        ticks = segment.ticks or NOWHERE
        return self._placed(span, segment.init, segment.size, tuple(segment.parts), gap, ticks)

    def _placed(
        self, span: Span, init: int, size: int, parts: tuple[PartEntry, ...], gap: bool, ticks: Ticks = NOWHERE
    ) -> SegmentEntry:
        discontinuities, init_before = self._before
        discontinuity = span.discontinuities != discontinuities
        return SegmentEntry(
            number=span.number,
            init=init,
            new_init=discontinuity or init_before not in (-1, init),
            discontinuities=span.discontinuities,
            discontinuity=discontinuity,
            starts_at_s=span.starts_at_s,
            media_s=span.media_s,
            duration_s=span.duration_s,
            size=size,
            parts=parts,
            gap=gap,
            ticks=ticks,
        )

    def _complete(self, segment: _Open) -> None:
        """Close a segment of which the rendition has no more, while the stream went on."""
        span = self._timeline.find(segment.slot.number)
        missing_s = span.duration_s - segment.duration_s if span else 0.0
        if missing_s > _ROUNDING_S:
            count = math.ceil(missing_s / self._timeline.part_target_s - _ROUNDING_S)
            for _ in range(count):
                self.add_part(segment.slot._replace(duration_s=missing_s / count), b"", independent=False)
        self.close_segment()

    def _fill(self, until: int) -> None:
        """List as gaps the stream's segments before this one that are not here."""
        for number in range(self._next_number, until):
            if span := self._timeline.find(number):
                self._append(self._placed(span, self._init, 0, (), gap=True), b"")
        self._next_number = max(self._next_number, until)

    def _append(self, entry: SegmentEntry, data: bytes) -> bool:
        self._before = entry.discontinuities, entry.init
        stored = self._backlog.add(entry, data, self._timeline.target_s)
        oldest = self._backlog.oldest.init
        for number in [number for number in self._inits if number < oldest]:
            del self._inits[number], self._renditions[number]
        self.changed = True
        for sink in self._sinks:
            sink.segment(self.rendition.name, entry, data)
        return stored

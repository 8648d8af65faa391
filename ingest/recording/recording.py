"""One stream's recording while it is made: from closed segments by the spool to the store, then published.

    segments ──▶ inbox ──▶ spool ──▶ store        each arrow at its own pace, none holds up the live stream
                (memory)   (disk)

What does not fit, or what the disk refuses, becomes a gap with its reason; the recording goes on after it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import structlog

from ingest.hls.entries import Rendition, SegmentEntry
from ingest.publishing.outbox import Submitter, submit_until_known
from ingest.recording import shipping, wishes
from ingest.recording.journal import Begun, Covered, Finished, Kept, Line, Sheeted, file_of
from ingest.recording.manifest import NOT_MADE, KeptSegment, Manifest
from ingest.recording.objects import home_of
from ingest.recording.pictures import Pictures
from ingest.recording.spool import Spool
from ingest.storage.contract import Store

UPLOADS = 4
"""Of one recording at a time."""

LONGEST_S = 48 * 3600.0
"""A recording ends here, and says so by a gap."""

DISK_FULL, SPOOL_FULL, BUSY, TOO_LONG = "disk_full", "spool_full", "busy", "too_long"
"""Reasons of gaps: the disk refused; the store was away for too long; the disk was too slow; `LONGEST_S` is over."""

FAILED = "recordingFailed"
"""The code of stream health that holds while segments are refused."""

_log = structlog.get_logger(__name__)


class Alarm(Protocol):
    """Who is told that a recording has gaps, as `ingest.health.meter.Meter` is."""

    def raise_code(self, code: str) -> None: ...

    def clear_code(self, code: str) -> None: ...


class Allowance:
    """How many bytes all recordings of a process may hold somewhere."""

    def __init__(self, size: int) -> None:
        self._free = size

    def take(self, size: int) -> bool:
        """False, and nothing taken, when there is not enough left."""
        if size > self._free:
            return False
        self._free -= size
        return True

    def hold(self, size: int) -> None:
        """Take what is there already, whatever is left."""
        self._free -= size

    def give(self, size: int) -> None:
        self._free += size


@dataclass(frozen=True, slots=True)
class Tools:
    """What every recording of a process shares."""

    store: Store
    submitter: Submitter
    node: str
    memory: Allowance
    disk: Allowance
    uploads: asyncio.Semaphore
    """Segments that may be on their way from the spool to the store, and so in memory."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A file that the store does not have yet; `data` when the disk did not take it."""

    name: str
    size: int = 0
    data: bytes | None = None


class Recording:
    """A SegmentSink. `forget` is called when it is published, or when there was nothing to publish."""

    def __init__(self, spool: Spool, tools: Tools, forget: Callable[[Recording], None]) -> None:
        self._spool = spool
        self._tools = tools
        self._forget = forget
        self._inbox: deque[tuple[Line, bytes]] = deque()
        self._outbox: deque[_Waiting] = deque(_Waiting(name, size) for name, size in spool.waiting())
        for waiting in self._outbox:
            tools.disk.hold(waiting.size)
        self._ended = self._over = spool.story.finished
        self._pictures: Pictures | None = None
        self._shifts: tuple[int | None, int | None] = (None, None)
        self._resumed_at: int | None = None
        self._queued = len(self._outbox)
        self._stored = 0
        self._refusing = ""
        self._alarm: Alarm | None = None
        self._changed = asyncio.Event()
        self._started: asyncio.Task[object] | None = None
        self._whole: Manifest | None = None
        """Of the recording that is published, whose spool goes."""
        self._reading = asyncio.Lock()
        if spool.story.size:
            self._announce()
        self._tasks = [asyncio.create_task(self._keep_all()), asyncio.create_task(self._ship_all())]

    @property
    def stream_id(self) -> str:
        return self._spool.story.stream_id

    @property
    def ended(self) -> bool:
        """The stream is over: no segment can be added."""
        return self._over

    # The packager's side

    def begin(self, rendition: Rendition, init_number: int, init: bytes) -> None:
        if self._over:
            return
        shift, number_shift = self._shifts
        if shift is None:
            shift = _shift(self._spool.story.last_init, init_number)
            self._shifts = shift, number_shift
        self._put(Begun(rendition, init_number + shift), init)

    def segment(self, rendition_name: str, entry: SegmentEntry, data: bytes) -> None:
        if self._over:
            return
        init_shift, shift = self._shifts
        if shift is None:
            last = self._spool.story.last_number
            shift = _shift(last, entry.number)
            self._shifts = init_shift, shift
            self._resumed_at = entry.number if last >= 0 else None
        segment = KeptSegment(
            entry.number + shift,
            entry.init + (init_shift or 0),
            entry.discontinuity or entry.number == self._resumed_at,
            entry.independent,
            entry.starts_at_s,
            entry.duration_s,
            len(data),
        )
        started_at_s = self._spool.story.started_at_s
        if entry.gap:
            self._put(Kept(rendition_name, _gap(segment, NOT_MADE)), b"")
        elif started_at_s is not None and segment.ends_at_s - started_at_s > LONGEST_S:
            self._put(Kept(rendition_name, _gap(segment, TOO_LONG)), b"")
            self.finish()
        elif not self._tools.memory.take(len(data)):
            self._refuse(BUSY)
            self._put(Kept(rendition_name, _gap(segment, BUSY)), b"")
        else:
            self._put(Kept(rendition_name, segment), data)

    def finish(self) -> None:
        """It is published when its last pictures are there."""
        if self._over:
            return
        self._over = True
        self._tell()
        if self._pictures:
            self._pictures.await_last(self._end)
        else:
            self._end()

    def _end(self) -> None:
        self._put(Finished(), b"")
        self._ended = True

    # The gallery's side

    def pictures(self) -> Pictures:
        """Where the pictures of a stream go, from its beginning or from when it goes on."""
        if self._pictures is None:
            self._pictures = Pictures(self._spool.story, self._put_picture)
        self._pictures.expect()
        return self._pictures

    def _put_picture(self, line: Line, data: bytes) -> None:
        if not self._ended and self._tools.memory.take(len(data)):
            self._put(line, data)

    # The side of clips, and of who runs it

    def listen(self, alarm: Alarm) -> None:
        """From now on this one is told when segments are refused, and when one is kept again."""
        self._alarm = alarm
        if self._refusing:
            alarm.raise_code(FAILED)

    async def reached(self, ends_at_s: float) -> None:
        """Wait until what was live at this Unix time is in the store, or nothing more will come."""
        while not self._over and self._spool.story.ends_at_s < ends_at_s:
            await self._changed.wait()
        while self._inbox:
            await self._changed.wait()
        until = self._queued
        while self._stored < until:
            await self._changed.wait()

    async def manifest(self) -> Manifest:
        """What is kept so far."""
        async with self._reading:
            if self._whole is not None:
                return self._whole
            return await asyncio.to_thread(self._spool.manifest)

    async def stop(self, patience_s: float) -> None:
        """Have what was taken on disk, for a while, and leave off: the spool keeps the rest for the next process."""
        if self._pictures:
            self._pictures.stop()
        try:
            async with asyncio.timeout(patience_s):
                while self._inbox:
                    await self._changed.wait()
        except TimeoutError:
            _log.warning("segments of a recording are lost", stream_id=self.stream_id, count=len(self._inbox))
        tasks = [*self._tasks, *([self._started] if self._started else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _put(self, line: Line, data: bytes) -> None:
        if not self._ended:
            self._inbox.append((line, data))
            self._tell()

    def _tell(self) -> None:
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()

    async def _keep_all(self) -> None:
        while not self._spool.story.finished:
            if not self._inbox:
                await self._changed.wait()
                continue
            line, data = self._inbox[0]
            try:
                await self._keep(line, data)
            except Exception:
                _log.exception("a segment of a recording is lost", stream_id=self.stream_id)
            self._inbox.popleft()
            if isinstance(line, Kept | Covered | Sheeted):
                self._tools.memory.give(len(data))
            self._tell()

    async def _keep(self, line: Line, data: bytes) -> None:
        if isinstance(line, Begun):
            try:
                await asyncio.to_thread(self._spool.keep, line, data)
                self._queue(_Waiting(file_of(line)))
            except OSError:  # without it nothing can be played, and it is small
                self._queue(_Waiting(file_of(line), data=data))
                await asyncio.to_thread(self._spool.say, line)
        elif isinstance(line, Kept) and not line.segment.gap:
            if reason := await self._keep_file(line, data):
                self._refuse(reason)
                await asyncio.to_thread(self._spool.say, Kept(line.rendition, _gap(line.segment, reason)))
            else:
                self._accept()
                self._announce()
        elif isinstance(line, Covered | Sheeted):
            if reason := await self._keep_file(line, data):
                _log.warning("a picture of a recording is missing", stream_id=self.stream_id, reason=reason)
        else:
            await asyncio.to_thread(self._spool.say, line)

    async def _keep_file(self, line: Line, data: bytes) -> str:
        """Why it could not be kept; empty when it was."""
        if not self._tools.disk.take(len(data)):
            return SPOOL_FULL
        try:
            await asyncio.to_thread(self._spool.keep, line, data)
        except OSError:
            self._tools.disk.give(len(data))
            return DISK_FULL
        self._queue(_Waiting(file_of(line), len(data)))
        return ""

    def _queue(self, waiting: _Waiting) -> None:
        self._outbox.append(waiting)
        self._queued += 1

    def _refuse(self, reason: str) -> None:
        """Say once that segments are lost, until one is kept again."""
        if self._refusing != reason:
            _log.error("segments are missing in a recording", stream_id=self.stream_id, reason=reason)
            if self._alarm:
                self._alarm.raise_code(FAILED)
        self._refusing = reason

    def _accept(self) -> None:
        if self._refusing and self._alarm:
            self._alarm.clear_code(FAILED)
        self._refusing = ""

    def _announce(self) -> None:
        if self._started is None:
            story = self._spool.story
            started = wishes.start(story.stream_id, story.channel_id, story.playback_policy, self._tools.node)
            self._started = asyncio.create_task(submit_until_known(self._tools.submitter, started))

    async def _ship_all(self) -> None:
        while self._outbox or not self._spool.story.finished:
            batch = list(islice(self._outbox, UPLOADS))
            if not batch:
                await self._changed.wait()
                continue
            await asyncio.gather(*(self._ship(waiting) for waiting in batch))
            for _ in batch:
                self._outbox.popleft()
            self._stored += len(batch)
            self._tell()
        await self._publish()

    async def _ship(self, waiting: _Waiting) -> None:
        story = self._spool.story
        key = f"{home_of(story.stream_id, story.playback_policy)}/{waiting.name}"
        path = self._spool.path(waiting.name)
        async with self._tools.uploads:
            if waiting.data is not None:
                await shipping.put(self._tools.store, key, waiting.data)
            elif await asyncio.to_thread(path.exists):
                await shipping.put_file(self._tools.store, key, path)
            else:
                _log.error("somebody removed a segment from the spool", path=str(path))
        await asyncio.to_thread(self._spool.stored, waiting.name)
        self._tools.disk.give(waiting.size)

    async def _publish(self) -> None:
        if self._started is not None:
            manifest = await self.manifest()
            await shipping.put_playlists(self._tools.store, manifest)
            await self._started
            await submit_until_known(self._tools.submitter, wishes.publish(manifest, self._tools.node))
            _log.info("recording published", stream_id=self.stream_id, complete=manifest.complete)
            self._whole = manifest
        async with self._reading:
            await asyncio.to_thread(self._spool.remove)
        self._forget(self)


def _shift(last: int, first: int) -> int:
    """What to add to the numbers of a process that began anew, so that none comes twice."""
    return max(0, last + 1 - first)


def _gap(segment: KeptSegment, reason: str) -> KeptSegment:
    return segment._replace(size=0, gap=reason)

"""The recordings that this process makes, and those that an earlier one left unfinished."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Protocol

import structlog

from ingest.hls.entries import Rendition, SegmentEntry
from ingest.hls.sink import SegmentSink
from ingest.recording.journal import Opened
from ingest.recording.recording import FAILED, Alarm, Recording, Tools
from ingest.recording.spool import Spool
from ingest.thumbnails.album import Keeper

STOP_S = 5.0
LATE_S = 30.0
"""How long after its grace a stream may still be taken up again: its publisher's answer may be under way."""

_log = structlog.get_logger(__name__)


class RecordingSink(SegmentSink, Protocol):
    """What records a stream, or does not."""

    def listen(self, alarm: Alarm) -> None:
        """Who is told when segments are missing."""

    def pictures(self) -> Keeper | None:
        """Where the stream's pictures go; None for nowhere."""


class Unrecorded:
    """A RecordingSink that keeps nothing; `failed` when it should."""

    def __init__(self, *, failed: bool) -> None:
        self._failed = failed

    def listen(self, alarm: Alarm) -> None:
        if self._failed:
            alarm.raise_code(FAILED)

    def pictures(self) -> None:
        return None

    def begin(self, rendition: Rendition, init_number: int, init: bytes) -> None:
        return

    def segment(self, rendition_name: str, entry: SegmentEntry, data: bytes) -> None:
        return

    def finish(self) -> None:
        return


class Recorder:
    """One a process. `recover` takes up what an earlier process left; call it once, before streams come."""

    def __init__(self, directory: Path, tools: Tools, grace_s: float) -> None:
        """`directory` holds a spool a stream; `grace_s` is how long a stream may wait for its publisher."""
        self._directory = directory
        self._tools = tools
        self._grace_s = grace_s
        self._recordings: dict[str, Recording] = {}
        self._unclaimed: dict[str, asyncio.TimerHandle] = {}
        """Recordings of an earlier process whose streams may yet go on."""

    def recover(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        for directory in sorted(self._directory.glob("[!.]*")):
            try:
                spool = Spool(directory)
            except (OSError, ValueError) as error:
                aside = directory.with_name(f".{directory.name}.{time.time_ns()}")
                directory.replace(aside)
                _log.error("a recording cannot be taken up", set_aside=str(aside), reason=str(error))
                continue
            if not spool.story.stream_id:  # it died before anything was said
                spool.remove()
                continue
            recording = self._add(spool)
            _log.info("recording taken up", stream_id=recording.stream_id, finished=recording.ended)
            if not recording.ended:
                wait_s = self._grace_s + LATE_S
                later = asyncio.get_running_loop().call_later(wait_s, self._give_up, recording)
                self._unclaimed[recording.stream_id] = later

    def open(self, stream_id: str, channel_id: str, playback_policy: str) -> RecordingSink:
        """Where a stream's segments go. A stream that goes on after a restart goes on in the same recording."""
        if timer := self._unclaimed.pop(stream_id, None):
            timer.cancel()
        if recording := self._recordings.get(stream_id):
            if not recording.ended:
                return recording
            _log.error("the stream's recording was finished before it came back", stream_id=stream_id)
            return Unrecorded(failed=True)
        try:
            spool = Spool(self._directory / stream_id)
        except OSError as error:
            _log.error("the stream is not recorded", stream_id=stream_id, reason=str(error))
            return Unrecorded(failed=True)
        spool.say(Opened(stream_id, channel_id, playback_policy))
        return self._add(spool)

    def find(self, stream_id: str) -> Recording | None:
        """A recording that is not published yet."""
        return self._recordings.get(stream_id)

    async def stop(self) -> None:
        for timer in self._unclaimed.values():
            timer.cancel()
        await asyncio.gather(*(recording.stop(STOP_S) for recording in list(self._recordings.values())))

    def _add(self, spool: Spool) -> Recording:
        recording = Recording(spool, self._tools, self._forget)
        self._recordings[recording.stream_id] = recording
        return recording

    def _give_up(self, recording: Recording) -> None:
        self._unclaimed.pop(recording.stream_id, None)
        recording.finish()

    def _forget(self, recording: Recording) -> None:
        self._recordings.pop(recording.stream_id, None)

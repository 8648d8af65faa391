"""The streams this process plays out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ingest.hls.appender import Appender
from ingest.hls.backlog import WindowLimits
from ingest.hls.playback import Playback
from ingest.hls.sink import SegmentSink


class Registry:
    """Knows every stream by id. Make one a process, and give it to `LiveStream` and `create_origin`."""

    def __init__(self, live_dir: Path, limits: WindowLimits | None = None, linger_s: float = 60.0) -> None:
        """`live_dir` holds a directory a stream. `linger_s` is how long an ended stream, or what a killed process
        left behind, stays."""
        self._live_dir = live_dir
        self._limits = limits
        self._linger_s = linger_s
        self._playbacks: dict[str, Playback] = {}
        self._appender = Appender()
        self._leftovers = {path.name for path in live_dir.iterdir() if path.is_dir()} if live_dir.is_dir() else set()
        self._doomed: dict[str, float] = {}
        """Since when each ended stream or leftover waits for its removal."""

    def open(self, stream_id: str, sinks: Sequence[SegmentSink] = ()) -> Playback:
        """A new stream, or one that a killed process left behind: its numbers go on and its files are removed."""
        self._leftovers.discard(stream_id)
        self._doomed.pop(stream_id, None)
        if before := self._playbacks.get(stream_id):
            before.end()
        playback = Playback(stream_id, self._live_dir / stream_id, self._limits, sinks)
        self._playbacks[stream_id] = playback
        return playback

    def find(self, stream_id: str) -> Playback | None:
        return self._playbacks.get(stream_id)

    def has_work(self) -> list[Playback]:
        """The streams that have something to store."""
        return [playback for playback in self._playbacks.values() if playback.has_work]

    def store(self, playbacks: Sequence[Playback]) -> None:
        """Bring their files up to date, in one thread at a time: it waits for the disk."""
        for playback in playbacks:
            playback.store(self._appender)

    def sweep(self, now_s: float) -> list[Path]:
        """Forget what has been over for long enough; returns the directories to remove, which may take a while.

        Call it every second or so; any clock that only moves on.
        """
        over = {stream_id for stream_id, playback in self._playbacks.items() if playback.ended} | self._leftovers
        gone = []
        for stream_id in over:
            if now_s - self._doomed.setdefault(stream_id, now_s) < self._linger_s:
                continue
            del self._doomed[stream_id]
            self._leftovers.discard(stream_id)
            if playback := self._playbacks.pop(stream_id, None):
                playback.remove()
            gone.append(self._live_dir / stream_id)
        return gone

"""Looks into streams from a thread of its own, within a share of a core however many streams there are.

Nothing here waits: a look that finds the thread busy is left out, and its answer is there at some later segment.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import BoundedSemaphore

import structlog

from ingest.health.decoding import Thumbnail, brightness, change, loudness_dbfs, thumbnail
from ingest.health.measure import Look
from ingest.media.parameters import AudioParameters, VideoParameters

LOOK_EVERY_S = 10.0
"""At most; less often when all streams together would take more than their share."""
WAITING_MAX = 4
AUDIO_FRAMES = 8
"""Of a look: a sixth of a second at 48 kHz."""

_FIRST_COST_S = 0.02
_SMOOTHING = 0.1
_NICENESS = 10

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Glimpse:
    """What is to be decoded: a keyframe and consecutive frames of sound, each with its track's parameters."""

    video: VideoParameters | None
    keyframe: bytes | memoryview | None
    audio: AudioParameters | None
    sound: Sequence[bytes | memoryview]


class Probe:
    """One a process. `share` is the part of a core that all looks may take on average; 0 turns it off."""

    def __init__(self, share: float) -> None:
        self.cost_s = _FIRST_COST_S
        """CPU time of a look, smoothed."""
        self._share = share
        self._streams = 0
        self._places = BoundedSemaphore(WAITING_MAX)
        self._worker = ThreadPoolExecutor(1, "probe", _be_nice)

    @property
    def every_s(self) -> float:
        """How long a stream waits between two looks, so that all keep to the share."""
        return max(LOOK_EVERY_S, self._streams * self.cost_s / self._share)

    def looker(self) -> Looker | None:
        """For one stream; close it at the stream's end. None when turned off."""
        if not self._share:
            return None
        self._streams += 1
        return Looker(self)

    def close(self) -> None:
        """Looks that wait are left out."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _submit(self, looker: Looker, glimpse: Glimpse) -> bool:
        free = self._places.acquire(blocking=False)
        if free:
            self._worker.submit(self._work, looker, glimpse)
        return free

    def _work(self, looker: Looker, glimpse: Glimpse) -> None:
        began_s = time.thread_time()
        try:
            looker._see(glimpse)
        except Exception:
            _log.exception("a stream could not be looked into")
        self.cost_s += _SMOOTHING * (time.thread_time() - began_s - self.cost_s)
        self._places.release()

    def _forget(self) -> None:
        self._streams -= 1


class Looker:
    """One stream's side of the probe."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._last_s: float | None = None
        self._before: Thumbnail | None = None
        self._seen: Look | None = None
        self._closed = False

    def due(self, now_s: float) -> bool:
        return not self._closed and (self._last_s is None or now_s - self._last_s >= self._probe.every_s)

    def look(self, glimpse: Glimpse, now_s: float) -> None:
        """Have this decoded, or not if the thread is busy."""
        if self._probe._submit(self, glimpse):
            self._last_s = now_s

    def take(self) -> Look:
        """What was seen since the last call; an empty look when nothing new."""
        seen, self._seen = self._seen, None
        return seen or Look()

    def close(self) -> None:
        """Calling it again does nothing."""
        if not self._closed:
            self._closed = True
            self._probe._forget()

    def _see(self, glimpse: Glimpse) -> None:
        """In the worker's thread; what it leaves is read by the loop's."""
        video, audio = glimpse.video, glimpse.audio
        picture = thumbnail(video.entry, video.record, glimpse.keyframe) if video and glimpse.keyframe else None
        before, self._before = self._before, picture
        self._seen = Look(
            loudness_dbfs=loudness_dbfs(audio.record, glimpse.sound) if audio else None,
            brightness=None if picture is None else brightness(picture),
            change=None if picture is None or before is None else change(before, picture),
        )


def _be_nice() -> None:
    """The loop's thread comes first. On Linux this is the thread's own priority."""
    os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)

"""From RTMP's millisecond timestamps, which round and jitter, to exact track times."""

from __future__ import annotations

from ingest.media.init import VIDEO_TIMESCALE

_TICKS_PER_MS = VIDEO_TIMESCALE // 1000
_COMMON_RATES = (30.0, 60.0, 25.0, 50.0, 24.0, 30_000 / 1001, 60_000 / 1001, 24_000 / 1001, 120.0, 20.0, 15.0, 10.0)
_ROUNDING_MS = 0.99
"""A difference of two rounded timestamps is off by less than 1 ms."""
_RELEARN_AFTER = 8
"""Frames in a row off the grid before the frame rate is learnt anew."""
_AUDIO_JUMP_S = 0.06
"""A single frame so far off is followed at once; less than what a viewer hears as out of sync."""
_AUDIO_DRIFT_S = 0.015
"""Frames that are so far off on average are followed: a sound card whose clock is wrong, not jitter."""
_AVERAGED_FRAMES = 64


class VideoClock:
    """Puts frames on the grid of their frame rate, in 1/90000 s; follows the input where it leaves the grid."""

    def __init__(self, start: int, origin_ms: int, frame_rate: float) -> None:
        """`origin_ms` is the input's time at `start`; a `frame_rate` of 0 is learnt from the frames."""
        self._start = start
        self._origin_ms = origin_ms
        self.frame_ticks = VIDEO_TIMESCALE / frame_rate if frame_rate else 0.0
        self._expected = float(start)
        self._last = start - 1
        self._off_grid = 0
        self._off_grid_since_ms = origin_ms

    def place(self, timestamp_ms: int) -> int:
        """The frame's decode time; always later than the last one."""
        given = self._start + (timestamp_ms - self._origin_ms) * _TICKS_PER_MS
        if not self.frame_ticks and timestamp_ms > self._origin_ms:
            self._learn(timestamp_ms - self._origin_ms)
        if abs(given - self._expected) <= max(self.frame_ticks / 2, _TICKS_PER_MS):
            self._off_grid = 0
        else:
            self._follow(given, timestamp_ms)
        ticks = max(round(self._expected), self._last + 1)
        self._last = ticks
        self._expected += self.frame_ticks
        return ticks

    def _follow(self, given: int, timestamp_ms: int) -> None:
        self._expected = float(given)
        if self._off_grid == 0:
            self._off_grid_since_ms = timestamp_ms
        self._off_grid += 1
        if self._off_grid > _RELEARN_AFTER:
            self._learn((timestamp_ms - self._off_grid_since_ms) / _RELEARN_AFTER)
            self._off_grid = 0

    def _learn(self, interval_ms: float) -> None:
        rate = next((rate for rate in _COMMON_RATES if abs(1000 / rate - interval_ms) < _ROUNDING_MS), 0.0)
        self.frame_ticks = VIDEO_TIMESCALE / rate if rate else max(interval_ms, 1.0) * _TICKS_PER_MS
        if self._last == self._start:
            self._expected = self._start + self.frame_ticks


class AudioClock:
    """Counts samples, since each frame has as many; goes by the timestamps only when they jump or drift away."""

    def __init__(self, start: int, origin_ms: int, sample_rate: int, frame_samples: int) -> None:
        self._start = start
        self._origin_ms = origin_ms
        self._sample_rate = sample_rate
        self.frame_samples = frame_samples
        self.end = start
        """Where the next frame goes when nothing drifts."""
        self.resyncs = 0
        self._drift = 0.0
        """How far the timestamps have lately been ahead, in samples."""

    def place(self, timestamp_ms: int) -> int | None:
        """The frame's time in samples; None to drop it, which is how audio that runs ahead of its timestamps waits."""
        given = self._start + (timestamp_ms - self._origin_ms) * self._sample_rate // 1000
        ahead = given - self.end
        self._drift += (ahead - self._drift) / _AVERAGED_FRAMES
        if abs(ahead) > _AUDIO_JUMP_S * self._sample_rate:
            self._drift = float(ahead)
        if abs(self._drift) > _AUDIO_DRIFT_S * self._sample_rate:
            self.resyncs += 1
            if self._drift < 0:
                self._drift += self.frame_samples
                return None
            self.end += round(self._drift)
            self._drift = 0.0
        ticks = self.end
        self.end += self.frame_samples
        return ticks

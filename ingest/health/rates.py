"""Bitrate over the last while, from whole segments. Pure."""

from __future__ import annotations

from collections import deque

_SEGMENTS_MAX = 256


class RollingRate:
    """Over at least `window_s` of media, once there is as much."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._segments: deque[tuple[float, int]] = deque()
        self._duration_s = 0.0
        self._size = 0

    def add(self, duration_s: float, size: int) -> float:
        """Take a segment of so many bytes; the rate with it, kbit/s."""
        segments = self._segments
        segments.append((duration_s, size))
        self._duration_s += duration_s
        self._size += size
        while len(segments) > _SEGMENTS_MAX or self._duration_s - segments[0][0] >= self._window_s:
            gone_s, gone = segments.popleft()
            self._duration_s -= gone_s
            self._size -= gone
        return self._size * 8 / self._duration_s / 1000 if self._duration_s > 0 else 0.0

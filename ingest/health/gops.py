"""Distances between keyframes, and B-frames, from the frames as they are published. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ingest.media.fragment import Frame

_KEPT = 16
"""Complete distances that say whether they are regular: half a minute of 2 s."""
_TOLERANCE_S = 0.002
"""RTMP's composition times are in whole milliseconds."""


class Gops:
    """Of one stretch of continuous video."""

    def __init__(self, timescale: int) -> None:
        self._timescale = timescale
        self._tolerance = round(_TOLERANCE_S * timescale)
        self._recent: deque[int] = deque(maxlen=_KEPT)
        self._last_keyframe: int | None = None
        self._end = 0
        self._shown = 0
        """Latest presentation time so far."""
        self._b_run = 0
        self._shortest = self._longest = 0
        self.b_frames = 0
        """Most in a row within the segment: frames that are shown before one that was decoded earlier."""

    def add(self, frames: Sequence[Frame]) -> None:
        tolerance = self._tolerance
        for dts, _, _, keyframe, composition in frames:
            if keyframe:
                if self._last_keyframe is not None:
                    self._complete(dts - self._last_keyframe)
                self._last_keyframe = dts
            pts = dts + composition
            if pts < self._shown - tolerance:
                self._b_run += 1
                self.b_frames = max(self.b_frames, self._b_run)
            else:
                self._shown, self._b_run = pts, 0
        if frames:
            self._end = frames[-1].dts + frames[-1].duration

    def segment(self) -> tuple[float, float, float]:
        """Shortest complete and longest distance of the segment, and the spread of the recent ones, in seconds.

        The distance still open counts for the longest. Begins the next segment; `b_frames` is to be read before.
        """
        still_open = self._end - self._last_keyframe if self._last_keyframe is not None else 0
        longest = max(self._longest, still_open)
        spread = max(self._recent) - min(self._recent) if self._recent else 0
        figures = self._shortest / self._timescale, longest / self._timescale, spread / self._timescale
        self._shortest = self._longest = self.b_frames = 0
        return figures

    def _complete(self, distance: int) -> None:
        self._recent.append(distance)
        self._shortest = min(self._shortest or distance, distance)
        self._longest = max(self._longest, distance)

"""The test picture: colour bars, a moving bar, the time for people and the time for programs."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from ingest.demo.clock import ROWS, clock_row
from ingest.demo.glyphs import draw

_BARS_YUV = [
    (180, 128, 128), (162, 44, 142), (131, 156, 44), (112, 72, 58),
    (84, 184, 198), (65, 100, 212), (35, 212, 114), (16, 128, 128),
]  # fmt: skip
_BLACK, _WHITE = 16, 235


class Pattern:
    """Draws frames of one size as the planes of yuv420p."""

    def __init__(self, width: int, height: int) -> None:
        """Width and height in pixels, both even."""
        self._width, self._height = width, height
        bar = np.arange(width) * len(_BARS_YUV) // width
        luma, blue, red = np.array(_BARS_YUV, dtype=np.uint8).T
        self._base = np.concatenate(
            [
                np.tile(luma[bar], (height, 1)).reshape(-1),
                np.tile(blue[bar[::2]], (height // 2, 1)).reshape(-1),
                np.tile(red[bar[::2]], (height // 2, 1)).reshape(-1),
            ]
        ).reshape(height * 3 // 2, width)
        self._noise = np.random.default_rng(1).integers(_BLACK, _WHITE, (height // 8, width), dtype=np.uint8)

    def draw(self, index: int, unix_ms: int) -> NDArray[np.uint8]:
        """The frame with this index, showing this time."""
        width, height = self._width, self._height
        frame = self._base.copy()
        frame[: height // ROWS] = clock_row(unix_ms, width)
        left = index * width // 120 % width
        frame[height // 4 : height * 5 // 8, left : left + width // 16] = _WHITE
        noise = self._noise
        frame[height - len(noise) : height] = np.roll(noise, index * 2, axis=1)
        time = datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
        self._write(frame, time)
        return frame

    def _write(self, frame: NDArray[np.uint8], text: str) -> None:
        glyphs = draw(text, max(1, self._width // 128))
        top, left = self._height * 11 // 16, (self._width - glyphs.shape[1]) // 2
        rows, columns = glyphs.shape
        frame[top : top + rows, left : left + columns] = np.where(glyphs, _WHITE, _BLACK)

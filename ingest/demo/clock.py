"""A clock that a program can read from a picture: the glass-to-glass latency is read from it.

A row of black and white blocks over the picture's top sixteenth: white, black, then 24 bits of Unix time in
milliseconds (it wraps after 4 h 39 min) and 6 bits of checksum, highest bit first. Only the middle of a block is
read, against the mean of the first two, so it survives scaling and hard compression.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BLOCKS = 32
ROWS = 16
"""The row of blocks takes the picture's height divided by this."""
_TIME_BITS, _SUM_BITS = 24, 6
WRAP_MS = 1 << _TIME_BITS
_BLACK, _WHITE = 16, 235
_CONTRAST_MIN = 60

READ_CLOCK_JS = f"""
(video) => {{
  const canvas = window.tallyClock ??= new OffscreenCanvas({BLOCKS * 4}, 4);
  const context = canvas.getContext("2d", {{ willReadFrequently: true }});
  const height = video.videoHeight / {ROWS};
  context.drawImage(video, 0, height / 4, video.videoWidth, height / 2, 0, 0, canvas.width, canvas.height);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const lumas = [];
  for (let block = 0; block < {BLOCKS}; block++) {{
    const green = (row, column) => pixels[4 * (row * canvas.width + block * 4 + column) + 1];
    lumas.push((green(1, 1) + green(1, 2) + green(2, 1) + green(2, 2)) / 4);
  }}
  const [white, black] = lumas;
  if (white - black < {_CONTRAST_MIN}) return null;
  const word = lumas.slice(2).reduce((value, luma) => value * 2 + (luma > (white + black) / 2 ? 1 : 0), 0);
  const time = Math.floor(word / {1 << _SUM_BITS});
  const sum = [0, 6, 12, 18].reduce((total, shift) => total + ((time >> shift) & 63), 21) % {1 << _SUM_BITS};
  return sum === word % {1 << _SUM_BITS} ? time : null;
}}
"""
"""A JavaScript function from a video element to the clock's milliseconds (modulo WRAP_MS), or null."""


def clock_row(unix_ms: int, width: int) -> NDArray[np.uint8]:
    """One line of luma, to be repeated over the picture's top. Under 128 pixels its blocks are too narrow to read."""
    time = unix_ms % WRAP_MS
    word = (1 << _TIME_BITS | time) << _SUM_BITS | _checksum(time)
    bits = [word >> shift & 1 for shift in range(BLOCKS - 2, -1, -1)]
    lumas = np.array([_WHITE, _BLACK, *(_WHITE if bit else _BLACK for bit in bits[1:])], dtype=np.uint8)
    return lumas[np.arange(width) * BLOCKS // width]


def read_clock(lumas: Sequence[float]) -> int | None:
    """The milliseconds (modulo WRAP_MS) from the luma in the middle of each block; None when they are no clock."""
    white, black = lumas[0], lumas[1]
    if white - black < _CONTRAST_MIN:
        return None
    word = 0
    for luma in lumas[2:BLOCKS]:
        word = word << 1 | (luma > (white + black) / 2)
    time = word >> _SUM_BITS
    return time if _checksum(time) == word & (1 << _SUM_BITS) - 1 else None


def sample_clock(luma: NDArray[np.uint8]) -> list[float]:
    """The middle of each block in a picture's luma plane, for `read_clock`."""
    height, width = luma.shape
    middle = luma[height // (ROWS * 4) : height * 3 // (ROWS * 4)].mean(axis=0)
    edges = np.arange(BLOCKS + 1) * width / BLOCKS
    return [
        float(middle[int(left + (right - left) / 4) : int(right - (right - left) / 4)].mean())
        for left, right in pairwise(edges)
    ]


def latency_ms(clock_ms: int, unix_ms: int) -> int:
    """How long ago the clock was drawn, within half a wrap."""
    return (unix_ms - clock_ms + WRAP_MS // 2) % WRAP_MS - WRAP_MS // 2


def _checksum(time: int) -> int:
    return (21 + sum(time >> shift & 63 for shift in (0, 6, 12, 18))) % (1 << _SUM_BITS)

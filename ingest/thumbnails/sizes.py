"""The sizes that can be asked for. Few enough that strangers cannot keep a node busy with ever new ones."""

from __future__ import annotations

from bisect import bisect_left

from ingest.thumbnails.drawing import LONGEST_MAX

SIDES = (
    40, 45, 60, 72, 80, 90, 120, 135, 144, 160, 180, 200, 240, 248, 270, 300, 320, 360, 400, 440, 480, 540, 600, 640,
    720, 800, 854, 900, 960, 1080, LONGEST_MAX,
)  # fmt: skip
"""Pixels: the sides of the sizes that pages use, so that those are given exactly."""


def nearest(width: int, height: int) -> tuple[int, int]:
    """What is given for this size: scaled down to the longest side, then each side the next larger of `SIDES`.

    Raises ValueError for a size without area.
    """
    if width < 1 or height < 1:
        raise ValueError("a picture is at least 1x1")
    scale = min(1.0, LONGEST_MAX / max(width, height))
    return _side(width * scale), _side(height * scale)


def _side(pixels: float) -> int:
    return SIDES[bisect_left(SIDES, round(pixels))]

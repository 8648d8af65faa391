"""Digits for the human-readable time, as 5 x 7 pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROWS = {
    "0": "01110 10001 10011 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00010 00100 01000 11111",
    "3": "11111 00010 00100 00010 00001 10001 01110",
    "4": "00010 00110 01010 10010 11111 00010 00010",
    "5": "11111 10000 11110 00001 00001 10001 01110",
    "6": "00110 01000 10000 11110 10001 10001 01110",
    "7": "11111 00001 00010 00100 01000 01000 01000",
    "8": "01110 10001 10001 01110 10001 10001 01110",
    "9": "01110 10001 10001 01111 00001 00010 01100",
    ":": "00000 00100 00100 00000 00100 00100 00000",
    ".": "00000 00000 00000 00000 00000 01100 01100",
}
_GLYPHS = {
    character: np.array([[int(pixel) for pixel in row] + [0] for row in rows.split()], dtype=np.uint8)
    for character, rows in _ROWS.items()
}


def draw(text: str, scale: int) -> NDArray[np.uint8]:
    """The text as ones on zeros, each pixel `scale` wide and high."""
    return np.hstack([_GLYPHS[character] for character in text]).repeat(scale, axis=0).repeat(scale, axis=1)

"""Copy-pasta: one text, a little changed, from many users."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from commands.automod.reading import read

MIN_LETTERS = 32
"""Shorter texts are alike by chance, or are what everybody says of a good play."""
SPAN = timedelta(seconds=60)
OTHERS = 3
"""How many other users said it within the span."""
SKETCH = 8
ALIKE = 5
"""Of a sketch's hashes: texts that share so many have about as large a share of their shingles."""
REMEMBERED = 64
"""The latest texts that are long enough: copies come close together."""
_NONE: frozenset[int] = frozenset()
_SHINGLE = 5
"""Letters, in a text of few words; else a shingle is a pair of words."""


class Echo(NamedTuple):
    user_id: str
    at: datetime
    sketch: frozenset[int]


@dataclass(frozen=True, slots=True)
class Echoes:
    """The latest texts, as sketches of them; the latest last."""

    said: tuple[Echo, ...] = ()
    sketches: tuple[frozenset[int], ...] = ()
    """Those of `said`: most texts have nothing in common with any, which is told fastest without looking further."""

    def heard(self, user_id: str, text: str, at: datetime) -> Echoes:
        """With one more text; a short one changes nothing."""
        mine = _sketch_of(text)
        if not mine:
            return self
        said = (*self.said[1 - REMEMBERED :], Echo(user_id, at, mine))
        return Echoes(said, (*self.sketches[1 - REMEMBERED :], mine))

    def others(self, user_id: str, text: str, at: datetime) -> int:
        """How many other users said about this within the span."""
        mine = _sketch_of(text)
        if not mine or all(map(mine.isdisjoint, self.sketches)):
            return 0
        alike = {
            echo.user_id
            for echo in self.said
            if not mine.isdisjoint(echo.sketch) and len(mine & echo.sketch) >= ALIKE and at - echo.at < SPAN
        }
        return len(alike - {user_id})


def _sketch_of(text: str) -> frozenset[int]:
    """A short one's is not worth a place among those that are remembered."""
    return sketch(text) if len(text) >= MIN_LETTERS else _NONE


@lru_cache(maxsize=4_096)
def sketch(text: str) -> frozenset[int]:
    """The smallest hashes of the text's shingles; none for a short text (bottom-k MinHash, Broder 1997)."""
    words = read(text).ways[0].flats
    letters = "".join(words)
    if len(letters) < MIN_LETTERS:
        return frozenset()
    if len(words) > SKETCH:
        shingles = {first + second for first, second in pairwise(words)}
    else:
        shingles = {letters[start : start + _SHINGLE] for start in range(len(letters) - _SHINGLE + 1)}
    return frozenset(sorted(map(zlib.crc32, map(str.encode, shingles)))[:SKETCH])

"""How toxic a text is: a logistic regression over hashed words, pairs of words, and letters within words.

Its weights are trained offline (`python -m commands.automod.training`) and shipped as whole numbers. What a channel's
moderators taught is added to them (`Lessons`).
"""

from __future__ import annotations

import math
import re
import struct
import zlib
from array import array
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import NamedTuple

WEIGHTS = resources.files("commands.automod") / "data" / "model.bin"
BITS = 16
"""Of a feature's number."""
MAX_WORDS = 100
_MASK = (1 << BITS) - 1
_LETTERS = (3, 4)
_HESITATION = 40
"""As if every text had so many more features that say nothing: one word is little to go by."""
_MAX_WORD = 32
_WORD = re.compile(r"[a-z0-9']+")
_HEADER = struct.Struct("<4sff")
_MAGIC = b"TAM1"

LEVELS = (0.9, 0.8, 0.65, 0.5)
"""The score from which on each level, 1 to 4, stops a text."""


class Model(NamedTuple):
    """A weight is its whole number times `scale`."""

    bias: float
    scale: float
    weights: array[int]

    def score(self, features: frozenset[int], taught: Mapping[int, float] | None = None) -> float:
        """The probability, 0-1, that people call a text with these features an insult."""
        weights = self.weights
        total = sum([weights[feature] for feature in features]) * self.scale
        if taught:
            total += math.fsum(taught.get(feature, 0.0) for feature in features)
        return 1 / (1 + math.exp(-self.bias - total * share(len(features))))

    def packed(self) -> bytes:
        """As in the data file."""
        return _HEADER.pack(_MAGIC, self.bias, self.scale) + zlib.compress(self.weights.tobytes(), 9)


def unpack(data: bytes) -> Model:
    """The model in a data file. Raises ValueError."""
    magic, bias, scale = _HEADER.unpack(data[: _HEADER.size])
    weights = array("b", zlib.decompress(data[_HEADER.size :]))
    if magic != _MAGIC or len(weights) != 1 << BITS:
        raise ValueError("not a model of this version; train it again")
    return Model(bias, scale, weights)


def features_of(folded: str) -> frozenset[int]:
    """The numbers of a folded text's features."""
    words = [word[:_MAX_WORD] for word in _WORD.findall(folded)[:MAX_WORDS]]
    found = {zlib.crc32(f"b {first} {second}".encode()) & _MASK for first, second in pairwise(words)}
    return frozenset(found.union(*map(_of_word, words)))


@lru_cache(maxsize=16_384)
def _of_word(word: str) -> tuple[int, ...]:
    marked = f"<{word}>"
    pieces = {f"c {marked[start : start + size]}" for size in _LETTERS for start in range(len(marked) - size + 1)}
    return tuple(sorted({zlib.crc32(piece.encode()) & _MASK for piece in {f"w {word}", *pieces}}))


def share(features: int) -> float:
    """The value of each of a text's features: long texts say more, and less with each word."""
    return 1 / math.sqrt(features + _HESITATION)


def level_of(score: float) -> int | None:
    """As strict as AutoMod must be to stop it; None where it never does."""
    return next((level for level, least in enumerate(LEVELS, 1) if score >= least), None)

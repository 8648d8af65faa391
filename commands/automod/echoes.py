"""Copy-pasta: one text, a little changed, from many users. Texts are compared by the smallest hashes of their shingles."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from commands.automod.folding import fold
from commands.automod.reading import flat
from commands.recent import Recent

MIN_LETTERS = 24
"""Shorter texts are alike by chance, or are what everybody says of a good play."""
SPAN = timedelta(seconds=60)
OTHERS = 3
"""How many other users said it within the span."""
SKETCH = 8
ALIKE = 5
"""Of a sketch's hashes: texts that share so many have about as large a share of their shingles."""
_SHINGLE = 5
_KEPT = 8_192
_SPEAKERS = 8


@dataclass(frozen=True, slots=True)
class Echoes:
    """By hash, who said a text that has it, and when; the latest last."""

    said: Recent[int, tuple[tuple[str, datetime], ...]] = field(default_factory=lambda: Recent(_KEPT))

    def heard(self, user_id: str, text: str, at: datetime) -> Echoes:
        """With one more text."""
        said = self.said
        for value in sketch(text):
            others = [one for one in said.get(value) or () if one[0] != user_id and at - one[1] < SPAN]
            said = said.put(value, (*others[1 - _SPEAKERS :], (user_id, at)))
        return self if said is self.said else replace(self, said=said)

    def others(self, user_id: str, text: str, at: datetime) -> int:
        """How many other users said about this within the span; at most 8."""
        shared = Counter(
            speaker
            for value in sketch(text)
            for speaker, time in self.said.get(value) or ()
            if speaker != user_id and at - time < SPAN
        )
        return sum(1 for count in shared.values() if count >= ALIKE)


def sketch(text: str) -> list[int]:
    """The smallest hashes of the text's shingles of letters; none for a short text (bottom-k MinHash, Broder 1997)."""
    if len(text) < MIN_LETTERS:
        return []
    letters = flat("".join(filter(str.isalnum, fold(text)))).encode()
    if len(letters) < MIN_LETTERS:
        return []
    hashes = {zlib.crc32(letters[start : start + _SHINGLE]) for start in range(len(letters) - _SHINGLE + 1)}
    return sorted(hashes)[:SKETCH]

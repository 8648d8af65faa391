"""Text as it reads, however it is written: one spelling for all that looks alike (after UTS #39's skeletons)."""

from __future__ import annotations

import json
from importlib import resources
from unicodedata import normalize

CONFUSABLES = resources.files("commands.automod") / "data" / "confusables.json"

_UNSEEN = (
    (0x00AD, 0x00AD),  # soft hyphen
    (0x034F, 0x034F),  # grapheme joiner
    (0x061C, 0x061C),
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),  # zero-width space and joiners, direction marks
    (0x202A, 0x202E),  # embeddings and overrides of direction
    (0x2060, 0x206F),
    (0x2800, 0x2800),  # blank of braille
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFEFF, 0xFEFF),
    (0xFFF0, 0xFFFB),
    (0xE0000, 0xE007F),  # tags
    (0xE0100, 0xE01EF),
)
"""Default_Ignorable_Code_Point, and what is as blank."""
_MARKS = (
    (0x0300, 0x036F),
    (0x0483, 0x0489),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE20, 0xFE2F),
)
"""Marks that any letter may bear. Those of one script, such as Devanagari's vowels, make other letters, and stay."""
_CONTROLS = ((0x00, 0x1F), (0x7F, 0x9F))
_SPACES = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85\u1680\u2028\u2029"


def fold(text: str) -> str:
    """Lower case, without marks and unseen characters, and in ASCII letters where it looks so.

    Folding what is folded changes nothing. A character may become up to 18 (U+FDFA), so may the text.
    """
    if text.isascii() and text.isprintable():
        return text.lower()
    return normalize("NFKD", normalize("NFKD", text).casefold()).translate(_TABLE)


def marks_in(text: str) -> int:
    """How many marks stand on letters: zalgo has more marks than letters."""
    return 0 if text.isascii() else sum(1 for character in normalize("NFKD", text) if ord(character) in _BORNE)


def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    for target, lookalikes in json.loads(CONFUSABLES.read_text("utf-8")).items():
        table |= {ord(character): target for character in lookalikes}
    for first, last in (*_UNSEEN, *_MARKS, *_CONTROLS):
        table |= dict.fromkeys(range(first, last + 1))
    return table | {ord(space): " " for space in _SPACES}


_TABLE = _table()
_BORNE = frozenset(code for first, last in _MARKS for code in range(first, last + 1))

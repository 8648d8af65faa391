"""The table of characters that look like ASCII letters, of the package confusable-homoglyphs (Unicode's UTS #39)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unicodedata import normalize

PACKAGE = "confusable-homoglyphs==3.3.1"
_MEMBER = "confusable_homoglyphs/confusables.json"

_OURS = {
    "a": "ᴀɐ∂ꭤ",
    "b": "ʙßþ฿🅱",
    "c": "ᴄɔ¢ↄ",
    "d": "ᴅđðɖ",
    "e": "ᴇǝəɛєε€ⱻ",
    "f": "ꜰɟƒ",
    "g": "ɢƃɠ",
    "h": "ʜɥħ",
    "i": "ɪıᴉɨ",
    "j": "ᴊɾ",
    "k": "ᴋʞκқ",
    "l": "ʟłɭ",
    "m": "ᴍɯ",
    "n": "ɴηпŋ",
    "o": "ᴏøɵσ",
    "p": "ᴘ",
    "q": "ǫ",
    "r": "ʀɹгя",
    "s": "ꜱʂ§",
    "t": "ᴛʇτŧ†",
    "u": "ᴜɄʉµμц",
    "v": "ᴠʌ",
    "w": "ᴡʍωшщ",
    "x": "ⅹ",
    "y": "ʏʎ¥",
    "z": "ᴢʐ",
}
"""What UTS #39 does not give an ASCII letter: small capitals, turned and barred letters."""


def table_of(confusables: Mapping[str, Any]) -> dict[str, str]:
    """ASCII letter or digit to the characters that look like it, all as folding meets them: decomposed, lower case."""
    found = {
        _folded(character): letter
        for upper in (True, False)  # where a small letter has a lookalike of its own, that one counts
        for character, lookalikes in confusables.items()
        if len(character) == 1 and character.isupper() == upper
        for letter in [_letter(lookalikes)]
        if letter is not None
    }
    found |= {_folded(character): letter for letter, characters in _OURS.items() for character in characters}
    found |= dict(_enclosed())
    table: dict[str, list[str]] = defaultdict(list)
    for character, letter in sorted(found.items()):
        if len(character) == 1 and not character.isascii():
            table[letter].append(character)
    return {letter: "".join(characters) for letter, characters in sorted(table.items())}


def write(unpacked: Path, target: Path) -> None:
    """Make the table of the package, unpacked in a directory."""
    table = table_of(json.loads((unpacked / _MEMBER).read_text("utf-8")))
    target.write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _letter(lookalikes: list[dict[str, str]]) -> str | None:
    letters = [look["c"].lower() for look in lookalikes if look["c"].isascii() and look["c"].isalnum()]
    return letters[0] if letters and len(letters[0]) == 1 else None


def _folded(character: str) -> str:
    return normalize("NFKD", normalize("NFKD", character).casefold())


def _enclosed() -> list[tuple[str, str]]:
    """Flags' letters, and white letters in black circles and squares: no decomposition names them."""
    return [(chr(first + index), chr(ord("a") + index)) for first in (0x1F1E6, 0x1F150, 0x1F170) for index in range(26)]

"""Where an INSERT's statement ends and its data begins."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_HEAD = 65_536
"""Bytes within which the FORMAT or VALUES of an INSERT must stand."""

_QUOTED = rb"`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_HEAD = re.compile(
    rb"\s*(?P<head>INSERT\s+INTO\b"
    rb"(?:" + _QUOTED + rb"|\((?:" + _QUOTED + rb"|[^`\"'()])*\)"
    rb"|(?!\b(?:SELECT|WITH|FROM|FORMAT|VALUES)\b)[^`\"'();])*)"
    rb"\b(?:FORMAT\s+(?P<format>\w+)[ \t]*;?[ \t]*\r?\n?|VALUES\b)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class InsertHead:
    """`statement` is the INSERT without FORMAT or data; its data begins at `data_at` of the text it was found in."""

    statement: str
    format: str
    data_at: int


def find_insert(text: bytes) -> InsertHead | None:
    """The head of an INSERT with data; None for anything else, INSERT ... SELECT included."""
    found = _HEAD.match(text, 0, MAX_HEAD)
    if not found:
        return None
    form = found["format"]
    statement = found["head"].decode(errors="replace").strip()
    return InsertHead(statement, form.decode() if form else "Values", found.end())

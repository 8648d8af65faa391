"""How the ingest process and its drawing process talk: lists of byte strings, each list with its lengths before it."""

from __future__ import annotations

import struct
from collections.abc import Sequence

HEAD = struct.Struct(">I")
"""How many strings follow; then a length each of this form, then the strings."""
STRINGS_MAX = 256
BYTES_MAX = 64 * 1024 * 1024


def pack(strings: Sequence[bytes]) -> bytes:
    lengths = [HEAD.pack(len(string)) for string in strings]
    return b"".join([HEAD.pack(len(strings)), *lengths, *strings])


def count_of(head: bytes) -> int:
    """Raises ValueError for more than `STRINGS_MAX`."""
    (count,) = HEAD.unpack(head)
    if count > STRINGS_MAX:
        raise ValueError(f"{count} strings in one list")
    return int(count)


def lengths_of(table: bytes) -> list[int]:
    """Raises ValueError for more than `BYTES_MAX` in all."""
    lengths = [length for (length,) in HEAD.iter_unpack(table)]
    if sum(lengths) > BYTES_MAX:
        raise ValueError(f"{sum(lengths)} bytes in one list")
    return lengths

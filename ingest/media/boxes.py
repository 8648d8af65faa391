"""ISO base media boxes (ISO 14496-12): the frame that init segments and fragments are built with."""

from __future__ import annotations

import struct


def box(kind: bytes, *content: bytes) -> bytes:
    """A box of this type around the content."""
    return b"".join((struct.pack(">I4s", 8 + sum(map(len, content)), kind), *content))


def full_box(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """A box whose content begins with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)

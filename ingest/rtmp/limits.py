"""Everything that a stranger could otherwise grow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes. OBS sends chunks of 4096, FFmpeg of 60000; a 4K keyframe stays well below 8 MiB."""

    min_chunk: int = 128
    """The protocol allows 1, at a cost per byte that no encoder asks for."""

    max_chunk: int = 1 << 20
    max_message: int = 8 << 20
    max_buffered: int = 12 << 20
    """Parts of unfinished messages over all chunk streams."""

    max_chunk_streams: int = 64
    max_unauthorised: int = 64 << 10
    """Bytes a connection may send before its publish is accepted."""

    max_message_streams: int = 8
    max_name: int = 512
    """Characters of an app or a stream key."""

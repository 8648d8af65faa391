"""Writing past the page cache (open(2), O_DIRECT).

Hours of every stream lie on disk and hardly any of it is read again: through the page cache each byte would be copied
into a page of its own, and push out what others on the machine do read.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

BLOCK = 4096
"""Addresses, offsets and sizes of direct writes are multiples of it: that of the disk's blocks, or of two of them."""
_BUFFER = 1 << 20


class Appender:
    """Waits for the disk, so it is used in a thread, and in one at a time."""

    def __init__(self) -> None:
        self._buffer = memoryview(mmap.mmap(-1, _BUFFER))  # which begins with a page, as direct writes have to

    def append(self, path: Path, offset: int, pieces: Iterable[bytes]) -> int:
        """Write the pieces behind one another; returns the bytes they take. It and `offset` are multiples of BLOCK.

        Raises OSError; what was written then is overwritten by the next that is appended there.
        """
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            with suppress(OSError):  # a file system that has no direct writes
                fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_DIRECT)
            return self._append(descriptor, offset, pieces)
        finally:
            os.close(descriptor)

    def _append(self, descriptor: int, offset: int, pieces: Iterable[bytes]) -> int:
        begin, filled = offset, 0
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                count = min(len(rest), _BUFFER - filled)
                self._buffer[filled : filled + count] = rest[:count]
                rest = rest[count:]
                filled += count
                if filled == _BUFFER:
                    _write(descriptor, self._buffer, offset)
                    offset += filled
                    filled = 0
        if filled:
            padded = -(-filled // BLOCK) * BLOCK
            _write(descriptor, self._buffer[:padded], offset)
            offset += padded
        return offset - begin


def _write(descriptor: int, data: memoryview, offset: int) -> None:
    while data:
        try:
            count = os.pwrite(descriptor, data, offset)
        except OSError as error:
            if error.errno != errno.EINVAL or not fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
                raise
            fcntl.fcntl(descriptor, fcntl.F_SETFL, 0)  # larger blocks than ours, or an interrupted write
            continue
        data, offset = data[count:], offset + count

"""A stream's closed segments on disk: all renditions behind one another in a few large files.

    put ──▶ waiting (memory) ──store──▶ segments0, segments1, …        each removed when all in it has been let go

A file a segment would cost a directory entry, an inode and, hours later, their removal, each time on the event loop.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import structlog

from ingest.hls.appender import Appender

FILE_SIZE = 32 << 20
"""Bytes after which a file is followed by another: 100 s of a stream of 2.5 Mbit/s."""

_log = structlog.get_logger(__name__)


class Slice(NamedTuple):
    """Bytes of a file."""

    path: Path
    offset: int
    size: int

    def read(self) -> bytes:
        """Raises OSError when the file is gone."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


class _File:
    """`kept` counts the segments in it that have not been let go."""

    __slots__ = ("kept", "path", "size")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.kept = 0


class Kept:
    """A closed segment's bytes: in memory until they are on disk, and as long as the owner leaves `data` there."""

    __slots__ = ("data", "file", "offset")

    def __init__(self, data: bytes) -> None:
        self.data: bytes | None = data
        self.file: _File | None = None
        """Where it lies once it is on disk."""
        self.offset = 0

    def read(self, offset: int, size: int) -> bytes | Slice:
        """What is in memory, or where the rest can be read."""
        data, file = self.data, self.file
        if data is not None or file is None:
            return (data or b"")[offset : offset + size]
        return Slice(file.path, self.offset + offset, size)


class Shelf:
    """`store` is called in a thread, the rest on the event loop. A full disk is said once and does not stop the stream.

    The two sides share two queues, and each segment's `file`, which is set last.
    """

    def __init__(self, directory: Path, first_number: int = 0) -> None:
        """What a killed process left is removed; `first_number` tells our files from its."""
        self.takes = True
        """The disk took what it was given last."""
        self._directory = directory
        self._first_number = first_number
        self._waiting: deque[Kept] = deque()
        self._let_go: deque[Kept] = deque()
        self._files: list[_File] = []
        """The last one grows."""
        self._made = 0
        for path in directory.glob("segments*"):
            _remove(path)

    # On the event loop

    @property
    def has_work(self) -> bool:
        return bool(self._waiting or self._let_go)

    def put(self, data: bytes) -> Kept:
        """The next `store` writes it."""
        kept = Kept(data)
        self._waiting.append(kept)
        return kept

    def let_go(self, kept: Kept) -> None:
        """Nobody will ask for it again. Its bytes go at once: a disk that takes nothing would have them pile up."""
        kept.data = None
        self._let_go.append(kept)

    # In a thread

    def store(self, appender: Appender) -> None:
        """Write what waits, and remove files of which nothing is left. What the disk does not take goes on waiting."""
        while self._let_go:
            if (file := self._let_go.popleft().file) is not None:
                file.kept -= 1
        taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
        # The bytes are held here: a segment may be let go of while it is written.
        batch = [(kept, data) for kept in taken if (data := kept.data) is not None]
        if not self._write(batch, appender):
            self._waiting.extendleft(kept for kept, _ in reversed(batch))
        for file in [file for file in self._files[:-1] if not file.kept]:
            self._files.remove(file)
            _remove(file.path)

    def _write(self, batch: Sequence[tuple[Kept, bytes]], appender: Appender) -> bool:
        if not batch:
            return True
        try:
            file = self._growing()
            size = appender.append(file.path, file.size, [data for _, data in batch])
        except OSError as error:
            if self.takes:
                _log.error("segments cannot be stored", path=str(self._directory), reason=str(error))
            self.takes = False
            return False
        self.takes = True
        at = file.size
        for kept, data in batch:
            kept.offset = at
            at += len(data)
            file.kept += 1
            kept.file = file
        file.size += size
        return True

    def _growing(self) -> _File:
        """Raises OSError."""
        if not self._files or self._files[-1].size >= FILE_SIZE:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._files.append(_File(self._directory / f"segments{self._first_number}.{self._made}"))
            self._made += 1
        return self._files[-1]


def remove_all(directory: Path) -> None:
    """A stream's files."""
    shutil.rmtree(directory, ignore_errors=True)


def _remove(path: Path) -> None:
    """A file that cannot be removed now goes with its directory."""
    with suppress(OSError):
        path.unlink()

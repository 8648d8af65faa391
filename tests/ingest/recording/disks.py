"""Disks that can be full."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

SIZE = 1_000_000
"""Bytes that fit on a small disk."""
LARGE = 100_000
"""Bytes of a file that a full disk takes no part of."""


class Disk(Protocol):
    @property
    def directory(self) -> Path: ...

    def full(self) -> AbstractContextManager[None]:
        """Inside it no file of LARGE bytes can be written."""


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file can grow beyond this many bytes, as on a disk that is full: a write up to there succeeds in part."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@dataclass(frozen=True)
class SmallFileSystem:
    """A file system of its own, of SIZE bytes."""

    directory: Path

    @contextmanager
    def full(self) -> Iterator[None]:
        filler = self.directory / "filler"
        try:
            with filler.open("wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
        except OSError:
            pass
        yield
        filler.unlink()


@dataclass(frozen=True)
class LimitedFiles:
    """A directory in which this process may write only small files, for a while: where nothing can be mounted."""

    directory: Path

    def full(self) -> AbstractContextManager[None]:
        return room_for(LARGE // 2)


@contextmanager
def small_disk(directory: Path) -> Iterator[Disk]:
    """A file system where one can be mounted, limited files elsewhere: never nothing."""
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tally-test", str(directory)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield SmallFileSystem(directory) if mounted else LimitedFiles(directory)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(directory)], check=True)

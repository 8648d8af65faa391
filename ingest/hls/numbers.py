"""Which segment and init numbers a stream has used: no later process may use them for something else."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import structlog

NAME = "numbers"

_log = structlog.get_logger(__name__)


class Numbers:
    """A line in the stream's directory, written before a number is shown. It survives a killed process."""

    def __init__(self, directory: Path) -> None:
        """Goes on after what is there."""
        self._path = directory / NAME
        self.next_segment, self.next_init = _read(self._path)

    def note(self, next_segment: int, next_init: int) -> None:
        """These are the first that are free."""
        if next_segment == self.next_segment and next_init == self.next_init:
            return
        self.next_segment, self.next_init = next_segment, next_init
        with suppress(OSError):  # a full disk does not stop the stream
            _write(self._path, b"%012d %012d\n" % (next_segment, next_init))


def _read(path: Path) -> tuple[int, int]:
    try:
        segment, init = map(int, path.read_bytes().split())
    except FileNotFoundError:
        return 0, 0
    except (OSError, ValueError) as error:
        _log.error("a stream's numbers cannot be read, they begin anew", path=str(path), reason=str(error))
        return 0, 0
    return segment, init


def _write(path: Path, line: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)

"""A rendition's segments on disk."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import structlog

from ingest.hls.entries import init_name, segment_name

_log = structlog.get_logger(__name__)
_SEGMENT = re.compile(r"segment(\d{1,12})\.m4s")
_INIT = re.compile(r"init(\d{1,12})\.mp4")


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


class Shelf:
    """One directory a rendition, in its stream's. A full disk is said once and does not stop the stream."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._failing = False

    def put_init(self, number: int, data: bytes) -> bool:
        return self._put(self._directory / init_name(number), data)

    def put_segment(self, number: int, data: bytes) -> bool:
        """False when it could not be stored."""
        return self._put(self._directory / segment_name(number), data)

    def segment(self, number: int, offset: int, size: int) -> Slice:
        return Slice(self._directory / segment_name(number), offset, size)

    def remove_segment(self, number: int) -> None:
        _remove(self._directory / segment_name(number))

    def remove_init(self, number: int) -> None:
        _remove(self._directory / init_name(number))

    def _put(self, path: Path, data: bytes) -> bool:
        try:
            try:
                path.write_bytes(data)
            except FileNotFoundError:
                self._directory.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        except OSError as error:
            if not self._failing:
                _log.error("segments cannot be stored", path=str(path), reason=str(error))
            self._failing = True
            _remove(path)
            return False
        self._failing = False
        return True


def take_over(directory: Path) -> tuple[int, int]:
    """The first free segment and init numbers after those of a killed process; its files are removed."""
    names = [path.name for path in directory.glob("*/*")]
    segments = [int(match[1]) for name in names if (match := _SEGMENT.fullmatch(name))]
    inits = [int(match[1]) for name in names if (match := _INIT.fullmatch(name))]
    remove_all(directory)
    return max(segments, default=-1) + 1, max(inits, default=-1) + 1


def remove_all(directory: Path) -> None:
    """A stream's files."""
    shutil.rmtree(directory, ignore_errors=True)


def _remove(path: Path) -> None:
    """A file that cannot be removed now goes with its directory."""
    with suppress(OSError):
        path.unlink()

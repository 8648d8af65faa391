"""One recording's directory on this machine: its journal, and the files that the store has not taken yet.

A file is whole before its journal line is written, and it is removed after the store has it. So whatever moment a
process dies at, the next one finds in the journal what was kept, and in `waiting` what is still to be stored.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ingest.recording import journal
from ingest.recording.journal import Line, Story, file_of
from ingest.recording.manifest import Manifest

JOURNAL = "journal"
FILES = "files"


class Spool:
    """Synchronous: it waits for the disk. One at a time may write; reading the manifest meanwhile is fine."""

    def __init__(self, directory: Path) -> None:
        """Takes up what is there. Raises OSError."""
        self._directory = directory
        self._files = directory / FILES
        self._journal = directory / JOURNAL
        self._files.mkdir(parents=True, exist_ok=True)
        self.story = Story()
        self._unwritten: list[bytes] = []
        """Lines that the disk did not take; they come before the next ones."""
        self._size = self._recover()

    def keep(self, line: Line, data: bytes) -> None:
        """The file that the line tells of, and the line. Raises OSError when the file could not be kept."""
        self._put(file_of(line), data)
        self.say(line)

    def say(self, line: Line) -> None:
        """Write a line without a file. One that the disk does not take now is kept in memory and tried again."""
        self.story.hear(line)
        self._unwritten.append(journal.write(line))
        data = b"".join(self._unwritten)
        try:
            with self._journal.open("ab", buffering=0) as file:
                written = file.write(data)
        except OSError:
            written = 0
        if written == len(data):
            self._size += written
            self._unwritten.clear()
        else:
            os.truncate(self._journal, self._size)

    def waiting(self) -> list[tuple[str, int]]:
        """The names and sizes of the files that are not stored yet, the oldest first."""
        found = [
            (path.stat().st_mtime_ns, path)
            for path in self._files.glob("*/*")
            if path.is_file() and not path.name.startswith(".")
        ]
        return [(path.relative_to(self._files).as_posix(), path.stat().st_size) for _, path in sorted(found)]

    def path(self, name: str) -> Path:
        """Where a waiting file lies."""
        return self._files / name

    def stored(self, name: str) -> None:
        """The store has it."""
        (self._files / name).unlink(missing_ok=True)

    def manifest(self) -> Manifest:
        """All that was kept so far. Takes a while for a long recording. Raises OSError."""
        return journal.manifest_of(self._lines())

    def remove(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)

    def _lines(self) -> Iterator[Line]:
        written, unwritten = self._size, list(self._unwritten)
        with self._journal.open("rb") as file:
            for line in file.read(written).splitlines():
                yield journal.read(line)
        for line in unwritten:
            yield journal.read(line)

    def _recover(self) -> int:
        """The journal's size, after a line that was torn is cut off and files that no line knows are removed."""
        self._journal.touch()
        data = self._journal.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole != len(data):
            os.truncate(self._journal, whole)
        known = set()
        for text in data[:whole].splitlines():
            line = journal.read(text)
            self.story.hear(line)
            known.add(file_of(line))
        for path in self._files.glob("*/*"):
            if path.relative_to(self._files).as_posix() not in known:
                path.unlink()
        return whole

    def _put(self, name: str, data: bytes) -> None:
        path = self._files / name
        fresh = path.with_name(f".{path.name}")
        path.parent.mkdir(exist_ok=True)
        try:
            fresh.write_bytes(data)
            fresh.replace(path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise

"""A directory as a store."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

from ingest.storage.contract import Blob, StoreAway, checked_key

P = ParamSpec("P")
T = TypeVar("T")


class LocalStore:
    """A file an object. What serves the directory has to know media types by the names' endings."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._fresh = itertools.count()

    async def put(self, key: str, data: bytes, content_type: str, cache_control: str) -> None:
        path = self._path(key)
        await _in_thread(self._appear, path, lambda fresh: fresh.write_bytes(data))

    async def put_file(self, key: str, path: Path, content_type: str, cache_control: str) -> None:
        await _in_thread(self._share, path, self._path(key))

    async def get(self, key: str, first: int = 0, last: int | None = None) -> Blob | None:
        return await _in_thread(_read, self._path(key), first, last)

    async def copy(self, source: str, target: str) -> bool:
        return await _in_thread(self._copy, self._path(source), self._path(target))

    async def delete(self, keys: Iterable[str]) -> None:
        await _in_thread(self._delete, [self._path(key) for key in keys])

    async def keys(self, directory: str) -> AsyncIterator[str]:
        for key in await _in_thread(self._below, self._path(directory)):
            yield key

    def _path(self, key: str) -> Path:
        return self._directory / checked_key(key)

    def _appear(self, path: Path, write: Callable[[Path], object]) -> None:
        # A name that begins with a dot is no key, so a half-written file is never found.
        fresh = path.with_name(f".{os.getpid()}.{next(self._fresh)}")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(fresh)
            fresh.replace(path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise

    def _copy(self, source: Path, target: Path) -> bool:
        if not source.is_file():
            return False
        self._share(source, target)
        return True

    def _share(self, source: Path, target: Path) -> None:
        """Objects do not change once written, so both names may have the same bytes."""
        try:
            self._appear(target, lambda fresh: os.link(source, fresh))
        except OSError:  # another file system, or one without hard links
            self._appear(target, lambda fresh: shutil.copyfile(source, fresh))

    def _delete(self, paths: list[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
        for parent in {path.parent for path in paths}:
            while parent != self._directory:
                with suppress(FileNotFoundError):
                    try:
                        parent.rmdir()
                    except OSError:  # not empty
                        break
                parent = parent.parent

    def _below(self, directory: Path) -> list[str]:
        return [
            (Path(folder) / name).relative_to(self._directory).as_posix()
            for folder, _, names in os.walk(directory)
            for name in names
            if not name.startswith(".")
        ]


def _read(path: Path, first: int, last: int | None) -> Blob | None:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(first)
            return Blob(file.read(-1 if last is None else max(0, last - first + 1)), size)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


async def _in_thread(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    try:
        return await asyncio.to_thread(work, *arguments, **named)
    except OSError as error:
        raise StoreAway(f"the directory of recordings: {error}") from error

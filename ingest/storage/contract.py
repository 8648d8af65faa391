"""What a store of objects can do, whatever it is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", re.ASCII)
_KEY_MAX = 512


class StoreAway(Exception):
    """The store did not do it, or it is not known whether it did. Doing it again is harmless and may help."""


class Blob(NamedTuple):
    """Bytes of an object."""

    data: bytes
    size: int
    """Of the whole object."""


class Store(Protocol):
    """Objects by key. Every method raises StoreAway, and ValueError for what is no key.

    An object appears whole or not at all, and putting it again replaces it.
    """

    async def put(self, key: str, data: bytes, content_type: str, cache_control: str) -> None: ...

    async def put_file(self, key: str, path: Path, content_type: str, cache_control: str) -> None:
        """The same from a file, which must not change any more; it may be removed afterwards."""

    async def get(self, key: str, first: int = 0, last: int | None = None) -> Blob | None:
        """The object's bytes from `first` to `last`, both included; None when there is no such object.

        `data` is empty when the object ends before `first`.
        """

    async def copy(self, source: str, target: str) -> bool:
        """False when there is no such source."""

    async def delete(self, keys: Iterable[str]) -> None:
        """Those that are not there are no error."""

    def keys(self, directory: str) -> AsyncIterator[str]:
        """Every key below `directory/`, in no order."""


def checked_key(key: str) -> str:
    """The key itself: words of letters, digits, `.`, `_` and `-` with slashes between, none beginning with a dot."""
    if len(key) > _KEY_MAX or not _KEY.fullmatch(key):
        raise ValueError("an object's key is words of A-Z, a-z, 0-9, . _ and - with slashes between")
    return key

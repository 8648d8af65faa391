"""The requests that wait at one time, of whatever kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Held:
    """Look whether it is full before a request takes a place."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0

    @property
    def full(self) -> bool:
        return self._count >= self._limit

    @contextmanager
    def place(self) -> Iterator[None]:
        """For as long as one request waits."""
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

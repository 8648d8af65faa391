"""The requests that wait at one time, of whatever kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Held:
    """Look whether it is full before a request takes a place."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.count = 0

    @property
    def full(self) -> bool:
        return self.count >= self._limit

    def take(self) -> None:
        """A request begins to wait; `leave` must follow."""
        self.count += 1

    def leave(self) -> None:
        """It waits no longer."""
        self.count -= 1

    @contextmanager
    def place(self) -> Iterator[None]:
        """For as long as one request waits."""
        self.take()
        try:
            yield
        finally:
            self.leave()

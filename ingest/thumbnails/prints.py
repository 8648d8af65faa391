"""Pictures made because somebody asked, kept while there is room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable

from cachetools import LRUCache

BYTES_MAX = 64 * 1024 * 1024
"""What a node keeps of them."""
MAKING_MAX = 32
"""Pictures under way at a time; more are refused."""


class Busy(Exception):
    """Too many pictures are under way."""


class Prints:
    """Each picture is made once, however many ask for it at a time."""

    def __init__(self, bytes_max: int = BYTES_MAX, making_max: int = MAKING_MAX) -> None:
        self._kept: LRUCache[Hashable, bytes] = LRUCache(bytes_max, getsizeof=len)
        self._making: dict[Hashable, asyncio.Task[bytes]] = {}
        self._making_max = making_max

    async def get(self, key: Hashable, make: Callable[[], Coroutine[None, None, bytes]]) -> bytes:
        """What `make` gives, or gave for the same key. Raises Busy, and what it raises."""
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        task = self._making.get(key)
        if task is None:
            if len(self._making) >= self._making_max:
                raise Busy
            task = self._making[key] = asyncio.create_task(self._make(key, make))
            task.add_done_callback(_look_at)
        # Who leaves does not take the picture from the others.
        return await asyncio.shield(task)

    async def _make(self, key: Hashable, make: Callable[[], Coroutine[None, None, bytes]]) -> bytes:
        try:
            made = await make()
        finally:
            del self._making[key]
        if len(made) <= self._kept.maxsize:
            self._kept[key] = made
        return made


def _look_at(task: asyncio.Task[bytes]) -> None:
    """A failure that everybody left before it came is no surprise to asyncio."""
    if not task.cancelled():
        task.exception()

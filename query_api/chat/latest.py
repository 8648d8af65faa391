"""What the log says has ended, until the read model says so too."""

from __future__ import annotations

from collections.abc import Hashable

REMEMBERED = 10_000
"""By the time that the oldest is forgotten the read model knows of it."""


class Latest:
    """The last few things that ended."""

    def __init__(self) -> None:
        self._things: dict[Hashable, None] = {}

    def __contains__(self, thing: Hashable) -> bool:
        return thing in self._things

    def add(self, thing: Hashable) -> None:
        self._things[thing] = None
        if len(self._things) > REMEMBERED:
            del self._things[next(iter(self._things))]

    def discard(self, thing: Hashable) -> None:
        self._things.pop(thing, None)

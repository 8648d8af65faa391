"""Looks after all connections in turns: a timer of its own would cost each of them more than the look does."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

import structlog

from query_api.chat.guest import Guest
from query_api.chat.limits import CHECK_S

log = structlog.get_logger(__name__)


class Kept(Protocol):
    guest: Guest | None

    def check(self, now: float) -> None:
        """End what takes too long."""

    def end(self, code: int, why: str) -> None:
        """With a word."""


class Keeper:
    def __init__(self) -> None:
        # A fifteenth of them every second, so that pings do not go out all at once.
        self._turns: list[dict[Kept, None]] = [{} for _ in range(CHECK_S)]
        self._turn_of: dict[Kept, int] = {}
        self._turn = 0
        self._next = 0

    def __len__(self) -> int:
        return len(self._turn_of)

    def add(self, kept: Kept) -> None:
        self._next = (self._next + 1) % CHECK_S
        self._turn_of[kept] = self._next
        self._turns[self._next][kept] = None

    def remove(self, kept: Kept) -> None:
        turn = self._turn_of.pop(kept, None)
        if turn is not None:
            self._turns[turn].pop(kept, None)

    def all(self) -> list[Kept]:
        return list(self._turn_of)

    def check(self, now: float) -> None:
        """Those whose turn it is."""
        self._turn = (self._turn + 1) % CHECK_S
        for kept in list(self._turns[self._turn]):
            try:
                kept.check(now)
            except Exception:
                log.exception("a connection could not be checked")

    async def run(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.check(time.monotonic())

"""asyncpg for code that blocks: one event loop, and the connections that live on it. For one thread."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import asyncpg

from projections.postgres.sink import AWAY

T = TypeVar("T")

_TIMEOUT_S = 10.0


class Blocking:
    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._loop = asyncio.Runner()
        self._connections: list[asyncpg.Connection] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)

    def connect(self, settings: Mapping[str, str]) -> asyncpg.Connection:
        """A connection that `close` closes."""
        connection = self.run(self._open(settings))
        self._connections.append(connection)
        return connection

    async def _open(self, settings: Mapping[str, str]) -> asyncpg.Connection:
        return await asyncpg.connect(self._dsn, timeout=_TIMEOUT_S, server_settings=dict(settings))

    def close(self) -> None:
        for connection in self._connections:
            self.run(_leave(connection))
        self._loop.close()


async def _leave(connection: asyncpg.Connection) -> None:
    try:
        await connection.close(timeout=_TIMEOUT_S)
    except AWAY:
        connection.terminate()

"""The read models: a bounded pool of read-only connections to Postgres."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import structlog

from query_api.errors import unavailable
from topology.settings import Settings

CONNECTIONS = 10
ACQUIRE_S = 2.0
QUERY_S = 5.0

log = structlog.get_logger(__name__)


class _Stateless(asyncpg.Connection):
    """Nothing is ever set on our connections, so giving one back needs no round trip."""

    def get_reset_query(self) -> str:
        return ""


class Database:
    """An async context manager. Postgres may be away at any time: a query then raises ApiError 503."""

    def __init__(self, settings: Settings) -> None:
        self._pool = asyncpg.create_pool(
            settings.postgres_dsn.get_secret_value(),
            min_size=0,
            max_size=CONNECTIONS,
            command_timeout=QUERY_S,
            connection_class=_Stateless,
            server_settings={
                "application_name": "tally query_api",
                "search_path": "tally",
                "default_transaction_read_only": "on",
                "statement_timeout": str(int(QUERY_S * 1000)),
            },
        )

    async def __aenter__(self) -> Database:
        await self._pool
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await asyncio.wait_for(self._pool.close(), timeout=ACQUIRE_S)
        except TimeoutError:
            self._pool.terminate()

    async def rows(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """All rows of a query. Raises ApiError 503 while Postgres or the read models are not there."""
        try:
            async with self._pool.acquire(timeout=ACQUIRE_S) as connection:
                found: list[asyncpg.Record] = await connection.fetch(sql, *arguments)
                return found
        except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.InvalidSchemaNameError) as error:
            raise unavailable("The read models are being built. Try again in a moment.") from error
        except (
            OSError,  # TimeoutError is one
            asyncpg.PostgresConnectionError,
            asyncpg.InterfaceError,
            asyncpg.OperatorInterventionError,
            asyncpg.InsufficientResourcesError,
            asyncpg.InvalidCatalogNameError,
            asyncpg.InvalidAuthorizationSpecificationError,
        ) as error:
            log.warning("postgres unavailable", error=repr(error))
            raise unavailable("The read models cannot be reached right now. Try again in a moment.") from error

    async def row(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        """The first row, if any. Raises as `rows` does."""
        found = await self.rows(sql, *arguments)
        return found[0] if found else None

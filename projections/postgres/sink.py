"""The Postgres sink: rows and progress in one statement, with compare-and-set on the progress."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import asyncpg
import structlog

from projections.contract import Advance, Fenced, Refused
from projections.models import MODELS
from projections.postgres.schema import create_base, ensure_live
from projections.postgres.statements import change_statement, erasures, schema_name
from projections.tables import Changes, Model, Row, by_shape
from topology.settings import Settings

log = structlog.get_logger()

T = TypeVar("T")

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the driver's word for a connection lost while it asks for types
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
)
"""Postgres is away, restarting, full or busy: try again."""

NEVER = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError, ValueError)
"""Values that Postgres or (ValueError) its driver will not take: a NUL in a text, a key too long for an index."""

GONE = (asyncpg.UndefinedTableError, asyncpg.UndefinedObjectError, asyncpg.InvalidSchemaNameError)
"""Somebody dropped the tables."""

COMMAND_TIMEOUT_S = 60.0
ERASE_TIMEOUT_S = 3600.0
RETRY_S = (0.05, 0.1, 0.25, 0.5, 1.0)

_STEP = """WITH step AS (
    UPDATE rm.progress p SET next_offset = $6, event_time = COALESCE($7, p.event_time)
    WHERE projection = $1 AND version = $2 AND topic = $3 AND partition = $4 AND next_offset = $5
      AND EXISTS (SELECT FROM rm.live l WHERE l.projection = $1 AND l.version = $2)
    RETURNING 1 AS done)"""


class PostgresSink:
    """One connection per projection, made again when it breaks."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connections: dict[str, asyncpg.Connection] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._versions: dict[str, int] = {}

    async def open(self) -> None:
        """See Sink."""
        await self._do("definitions", create_base)
        for model in MODELS:
            self._versions[model.name] = await self._do(model.name, partial(ensure_live, model=model))

    async def progress(self, projection: Model, partitions: Iterable[int]) -> dict[int, int]:
        """See Sink. Also finds out which version is live now."""
        model, wanted = projection, sorted(partitions)

        async def read(connection: asyncpg.Connection) -> dict[int, int]:
            version = self._versions[model.name] = await ensure_live(connection, model)
            await connection.execute(
                "INSERT INTO rm.progress SELECT $1, $2, $3, p, 0, NULL FROM unnest($4::int[]) p ON CONFLICT DO NOTHING",
                *(model.name, version, model.topic, wanted),
            )
            rows = await connection.fetch(
                "SELECT partition, next_offset FROM rm.progress "
                "WHERE projection = $1 AND version = $2 AND topic = $3 AND partition = ANY($4::int[])",
                *(model.name, version, model.topic, wanted),
            )
            return {row["partition"]: row["next_offset"] for row in rows}

        return await self._do(model.name, read)

    async def check(self, projection: Model, standing: Mapping[int, int]) -> None:
        """See Sink."""
        model, version = projection, self._versions[projection.name]

        async def read(connection: asyncpg.Connection) -> dict[int, int]:
            rows = await connection.fetch(
                "SELECT partition, next_offset FROM tally.progress "
                "WHERE projection = $1 AND version = $2 AND topic = $3 AND partition = ANY($4::int[])",
                *(model.name, version, model.topic, [*standing]),
            )
            return {row["partition"]: row["next_offset"] for row in rows}

        try:
            stored = await self._do(model.name, read)
        except GONE as error:
            raise Fenced(f"the tables of {model.name} v{version} are gone: {error}") from error
        if stored != standing:
            raise Fenced(f"{model.name} v{version} stands at {stored}, not {dict(standing)}")

    async def write(self, projection: Model, advance: Advance, changes: Changes) -> None:
        """See Sink."""
        model, version = projection, self._versions[projection.name]
        text, rows = _statement(schema_name(model.name, version), changes)
        place = (model.name, version, model.topic, advance.partition)
        tried = False

        async def apply(connection: asyncpg.Connection) -> None:
            nonlocal tried
            unsure, tried = tried, True
            moved = await connection.fetchval(
                text, *place, advance.expected, advance.next_offset, advance.event_time, *rows
            )
            if moved:
                return
            stored = await connection.fetchval(
                "SELECT next_offset FROM tally.progress "
                "WHERE projection = $1 AND version = $2 AND topic = $3 AND partition = $4",
                *place,
            )
            if not (unsure and stored == advance.next_offset):
                raise Fenced(
                    f"{model.name} v{version} partition {advance.partition} stands at {stored}, not {advance.expected}"
                )

        try:
            await self._do(model.name, apply)
        except NEVER as error:
            raise Refused(f"{type(error).__name__}: {error}") from error
        except GONE as error:
            raise Fenced(f"the tables of {model.name} v{version} are gone: {error}") from error

    async def erase(self, projection: Model, subjects: Collection[str]) -> None:
        """See Sink."""
        schema = schema_name(projection.name, self._versions[projection.name])

        async def empty(connection: asyncpg.Connection) -> None:
            async with connection.transaction():
                for statement in erasures(schema, projection):
                    await connection.execute(statement, [*subjects], timeout=ERASE_TIMEOUT_S)

        try:
            await self._do(projection.name, empty)
        except GONE as error:
            raise Fenced(f"the tables of {projection.name} are gone: {error}") from error

    async def close(self) -> None:
        """See Sink."""
        for connection in self._connections.values():
            connection.terminate()
        self._connections.clear()

    async def _do(self, name: str, action: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Run the action on the projection's connection, again and again while Postgres is away."""
        async with self._locks[name]:
            attempt = 0
            while True:
                try:
                    return await action(await self._connection(name))
                except NEVER:
                    raise  # the driver's are interface errors too
                except AWAY as error:
                    broken = self._connections.pop(name, None)
                    if broken is not None:
                        broken.terminate()
                    if attempt in (0, 10) or attempt % 100 == 0:
                        log.warning("Postgres is away, retrying", projection=name, attempt=attempt, error=repr(error))
                    await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
                    attempt += 1

    async def _connection(self, name: str) -> asyncpg.Connection:
        connection = self._connections.get(name)
        if connection is None or connection.is_closed():
            connection = self._connections[name] = await asyncpg.connect(
                self._dsn,
                timeout=10.0,
                command_timeout=COMMAND_TIMEOUT_S,
                server_settings={"application_name": f"tally-{name}"},
            )
        return connection


def _statement(schema: str, changes: Changes) -> tuple[str, list[list[Row]]]:
    """One statement that moves the progress and, only if that succeeds, changes the rows; and its row arguments."""
    parts = [_STEP]
    arguments: list[list[Row]] = []
    for table, rows in changes.items():
        for shape, group in by_shape(rows).items():
            source = f"(SELECT r.* FROM step, unnest(${len(arguments) + 8}::{schema}.{table.name}[]) r)"
            parts.append(f"c{len(arguments)} AS ({change_statement(schema, table, shape, source)})")
            arguments.append(group)
    return f"{', '.join(parts)} SELECT done FROM step", arguments


@dataclass(frozen=True)
class PostgresStore:
    """What `python -m projections postgres` runs."""

    sink: PostgresSink
    name: str = "postgres"
    projections: tuple[Model, ...] = field(default=MODELS)
    rest_s: float = 0.01
    """A reader who waits for an event hardly feels it."""
    fetch_min_bytes: int = 1


def create_store(settings: Settings) -> PostgresStore:
    return PostgresStore(PostgresSink(settings.postgres_dsn.get_secret_value()))

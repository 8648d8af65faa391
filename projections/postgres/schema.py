"""Versioned tables, and the views that show the live version.

Each version of a projection's tables has a schema of its own; the views in schema `tally` and the row in `rm.live` say
which one readers see and the live runner writes.
"""

from __future__ import annotations

from typing import NamedTuple

import asyncpg

from projections.contract import StaleModel
from projections.postgres.statements import schema_name
from projections.tables import Model, Table

_LOCK = 0x74616C6C79
"""Advisory lock of everything that defines tables, so that two processes may start at once."""

_BASE = """
CREATE SCHEMA IF NOT EXISTS rm;
CREATE SCHEMA IF NOT EXISTS tally;
CREATE TABLE IF NOT EXISTS rm.live (
    projection text PRIMARY KEY, version int NOT NULL, revision int NOT NULL
);
CREATE TABLE IF NOT EXISTS rm.progress (
    projection text, version int, topic text, partition int, next_offset bigint NOT NULL, event_time timestamptz,
    PRIMARY KEY (projection, version, topic, partition)
) WITH (fillfactor = 50);
CREATE OR REPLACE VIEW tally.progress AS
    SELECT p.projection, p.version, p.topic, p.partition, p.next_offset, p.event_time
    FROM rm.progress p JOIN rm.live l USING (projection, version);
"""


class Live(NamedTuple):
    """The version that readers see, and the revision of the fold that made it."""

    version: int
    revision: int


async def lock_definitions(connection: asyncpg.Connection) -> None:
    """Wait to be the only one that defines tables, until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def create_base(connection: asyncpg.Connection) -> None:
    """Schemas, progress and the register of live versions."""
    async with connection.transaction():
        await lock_definitions(connection)
        await connection.execute(_BASE)


async def live_version(connection: asyncpg.Connection, model: Model) -> Live | None:
    """None before the first version was published."""
    row = await connection.fetchrow("SELECT version, revision FROM rm.live WHERE projection = $1", model.name)
    return Live(row["version"], row["revision"]) if row else None


async def versions(connection: asyncpg.Connection, model: Model) -> list[int]:
    """The versions that have tables, oldest first."""
    prefix = schema_name(model.name, 0)[:-1]
    names = await connection.fetch("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1)", prefix)
    return sorted(int(number) for row in names if (number := row["nspname"].removeprefix(prefix)).isdigit())


async def ensure_live(connection: asyncpg.Connection, model: Model) -> int:
    """The live version, made when it or one of its tables is not there. Raises StaleModel."""
    async with connection.transaction():
        await lock_definitions(connection)
        live = await live_version(connection, model)
        if live is None or not await _are_there(connection, schema_name(model.name, live.version), model):
            known = [*await versions(connection, model), live.version if live else 0]
            live = Live(max(known) + 1, model.revision)
            await create_version(connection, model, live.version)
            await create_indexes(connection, model, live.version)
            await publish(connection, model, live.version)
        elif live.revision == model.revision and not await _are_there(connection, "tally", model):
            await publish(connection, model, live.version)
    if live.revision != model.revision:
        raise StaleModel(
            f"{model.name} was built by revision {live.revision} of its fold and this is revision {model.revision}: "
            f"run `./tally replay rebuild {model.name}`"
        )
    return live.version


async def _are_there(connection: asyncpg.Connection, schema: str, model: Model) -> bool:
    names = [f"{schema}.{table.name}" for table in model.tables]
    there: bool = await connection.fetchval(
        "SELECT bool_and(to_regclass(n) IS NOT NULL) FROM unnest($1::text[]) n", names
    )
    return there


async def create_version(connection: asyncpg.Connection, model: Model, version: int) -> None:
    """The tables with their primary keys."""
    schema = schema_name(model.name, version)
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for table in model.tables:
        columns = ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
        await connection.execute(
            f"CREATE TABLE IF NOT EXISTS {schema}.{table.name} ({columns}, PRIMARY KEY ({', '.join(table.key)}))"
        )


async def create_indexes(connection: asyncpg.Connection, model: Model, version: int) -> None:
    """The secondary indexes; a rebuild makes them after the rows."""
    schema = schema_name(model.name, version)
    for table in model.tables:
        for number, index in enumerate(table.indexes):
            await connection.execute(
                f"CREATE INDEX IF NOT EXISTS {table.name}_{number} ON {schema}.{table.name} {index}"
            )


async def publish(connection: asyncpg.Connection, model: Model, version: int) -> None:
    """Show this version to readers and to the live runner. Call within a transaction that holds the lock."""
    for table in model.tables:
        await connection.execute(f"DROP VIEW IF EXISTS tally.{table.name}")
        await connection.execute(view_statement(table, schema_name(model.name, version)))
    await connection.execute(
        "INSERT INTO rm.live VALUES ($1, $2, $3) "
        "ON CONFLICT (projection) DO UPDATE SET version = excluded.version, revision = excluded.revision",
        *(model.name, version, model.revision),
    )


def view_statement(table: Table, schema: str, into: str = "tally") -> str:
    """Shows one version's table in the schema `into`."""
    computed = (f"{expression} AS {name}" for name, expression in table.computed.items())
    return (
        f"CREATE VIEW {into}.{table.name} AS SELECT {', '.join((*table.columns, *computed))} FROM {schema}.{table.name}"
    )

"""Fingerprints of Postgres tables, computed in the database, and the rows by which two versions differ."""

from __future__ import annotations

import asyncpg

from projections.postgres.statements import schema_name
from projections.replay.copies import Print, TableDrift, Window
from projections.tables import Model, Table
from schemas.avro import schema_of
from schemas.catalog import EVENTS

_EXAMPLES = 3
SECRET_FIELDS = frozenset(
    field["name"] for model in EVENTS for field in schema_of(model)["fields"] if "secret" in field
)
"""Columns that no example shows."""


async def read_prints(connection: asyncpg.Connection, projection: Model, version: int) -> dict[str, Print]:
    schema = schema_name(projection.name, version)
    return {table.name: await _print(connection, _rows(table, schema)) for table in projection.tables}


async def compare_tables(
    connection: asyncpg.Connection, projection: Model, live: int, version: int, window: Window
) -> list[TableDrift]:
    ours, theirs = schema_name(projection.name, live), schema_name(projection.name, version)
    return [await _compare(connection, table, ours, theirs, window) for table in projection.tables]


async def _compare(
    connection: asyncpg.Connection, table: Table, live: str, replayed: str, window: Window
) -> TableDrift:
    ours, theirs = _rows(table, live), _rows(table, replayed)
    if window.since is not None and table.since:
        cut = f"'{window.since.isoformat()}'::timestamptz"
        same_key = " AND ".join(f"l.{name} = t.{name}" for name in table.key)
        ours += f" WHERE t.{table.since} >= {cut}"
        theirs += (
            f" WHERE t.{table.since} >= {cut} AND NOT EXISTS "
            f"(SELECT FROM {live}.{table.name} l WHERE {same_key} AND l.{table.since} < {cut})"
        )
    prints = await _print(connection, ours), await _print(connection, theirs)
    if prints[0] == prints[1]:
        return TableDrift(table.name, *prints)
    return TableDrift(
        table.name, *prints, await _difference(connection, ours, theirs), await _difference(connection, theirs, ours)
    )


def _rows(table: Table, schema: str) -> str:
    return f"SELECT {', '.join(f't.{name}' for name in table.columns)} FROM {schema}.{table.name} t"


async def _print(connection: asyncpg.Connection, rows: str) -> Print:
    row = await connection.fetchrow(
        f"SELECT count(*) AS rows, coalesce(sum(hashtextextended(r::text, 0)), 0)::text AS hash FROM ({rows}) r"
    )
    return Print(row["rows"], row["hash"]) if row else Print(0, "0")


async def _difference(connection: asyncpg.Connection, these: str, those: str) -> list[str]:
    found = await connection.fetch(
        f"SELECT (to_jsonb(r) - $1::text[])::text FROM (({these}) EXCEPT ALL ({those}) LIMIT {_EXAMPLES}) r",
        sorted(SECRET_FIELDS),
    )
    return [row[0] for row in found]

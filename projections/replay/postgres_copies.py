"""Versions of the Postgres read models. A version being filled has append-only tables without keys, for COPY."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import asyncpg

from projections.contract import Advance, Fenced, Refused
from projections.postgres.schema import (
    create_base,
    create_indexes,
    create_version,
    live_version,
    lock_definitions,
    publish,
    versions,
    view_statement,
)
from projections.postgres.sink import GONE, NEVER
from projections.postgres.statements import change_statement, schema_name
from projections.replay.blocking import Blocking
from projections.replay.copies import Offsets, Print, TableDrift, Window
from projections.replay.postgres_prints import compare_tables, read_prints
from projections.tables import INSERT, Changes, Model, Table, by_shape
from topology.settings import Settings

_SESSION = {
    "synchronous_commit": "off",  # rows and progress share a transaction: a crash can only take both
    "maintenance_work_mem": "256MB",
    "timezone": "UTC",
    "extra_float_digits": "1",
    "application_name": "tally-replay",
}


class PostgresCopies:
    batch = 10_000
    plain_times = False

    def __init__(self, settings: Settings) -> None:
        self._postgres = Blocking(settings.postgres_dsn.get_secret_value())
        self.run = self._postgres.run

    @cached_property
    def connection(self) -> asyncpg.Connection:
        """Where tables are defined and looked at."""
        connection = self._postgres.connect(_SESSION)
        self.run(create_base(connection))
        return connection

    @cached_property
    def writer(self) -> asyncpg.Connection:
        """Where rows are written, also while the other connection holds a transaction open."""
        return self._postgres.connect(_SESSION)

    def close(self) -> None:
        self._postgres.close()

    def live(self, projection: Model) -> int | None:
        live = self.run(live_version(self.connection, projection))
        return live.version if live else None

    def live_revision(self, projection: Model) -> int | None:
        live = self.run(live_version(self.connection, projection))
        return live.revision if live else None

    def versions(self, projection: Model) -> list[int]:
        return self.run(versions(self.connection, projection))

    def create(self, projection: Model, partitions: Sequence[int]) -> int:
        with self._transaction(self.connection) as connection:
            self.run(lock_definitions(connection))
            known = [*self.versions(projection), self.live(projection) or 0]
            version = max(known) + 1
            self.run(create_version(connection, projection, version))
            schema = schema_name(projection.name, version)
            for table in projection.tables:
                if table.append_only:
                    self.run(connection.execute(f"ALTER TABLE {schema}.{table.name} DROP CONSTRAINT {table.name}_pkey"))
            self.run(
                connection.execute(
                    "INSERT INTO rm.progress SELECT $1, $2, $3, p, 0, NULL FROM unnest($4::int[]) p",
                    *(projection.name, version, projection.topic, list(partitions)),
                )
            )
        return version

    def drop(self, projection: Model, version: int) -> None:
        with self._transaction(self.connection) as connection:
            self.run(lock_definitions(connection))
            self.run(connection.execute(f"DROP SCHEMA IF EXISTS {schema_name(projection.name, version)} CASCADE"))
            self.run(
                connection.execute(
                    "DELETE FROM rm.progress WHERE projection = $1 AND version = $2", projection.name, version
                )
            )

    def progress(self, projection: Model, version: int) -> dict[int, int]:
        return self.run(progress_of(self.connection, projection, version))

    def loader(self, projection: Model, version: int) -> PostgresLoader:
        return PostgresLoader(self, projection, version)

    def finish(self, projection: Model, version: int, *, for_readers: bool) -> None:
        schema = schema_name(projection.name, version)
        for table in projection.tables:
            if not self.run(has_key(self.connection, schema, table)):
                self.run(_add_key(self.connection, schema, table))
        if for_readers:
            self.run(create_indexes(self.connection, projection, version))
            for table in projection.tables:
                self.run(self.connection.execute(f"ANALYZE {schema}.{table.name}"))

    def switch(self, projection: Model, version: int, catch_up: Callable[[Offsets], None]) -> None:
        """The live writer waits at its progress rows meanwhile; it is fenced when it goes on."""
        with self._transaction(self.connection) as connection:
            self.run(lock_definitions(connection))
            live = self.live(projection)
            if live is not None:
                catch_up(self.run(progress_of(connection, projection, live, "FOR UPDATE")))
            self.run(publish(connection, projection, version))

    def publish_as(self, projection: Model, version: int, label: str) -> str:
        name = f"tally_{label}"
        with self._transaction(self.connection) as connection:
            self.run(lock_definitions(connection))
            self.run(connection.execute(f"CREATE SCHEMA IF NOT EXISTS {name}"))
            for table in projection.tables:
                self.run(connection.execute(f"DROP VIEW IF EXISTS {name}.{table.name}"))
                self.run(connection.execute(view_statement(table, schema_name(projection.name, version), name)))
        return name

    def withdraw(self, projection: Model, label: str) -> None:
        """The views themselves go with the tables."""
        with self._transaction(self.connection) as connection:
            self.run(lock_definitions(connection))
            left = self.run(
                connection.fetchval("SELECT count(*) FROM pg_views WHERE schemaname = $1", f"tally_{label}")
            )
            if not left:
                self.run(connection.execute(f"DROP SCHEMA IF EXISTS tally_{label}"))

    def fingerprint(self, projection: Model, version: int) -> tuple[dict[int, int], dict[str, Print]]:
        with self._transaction(self.connection, isolation="repeatable_read", readonly=True) as connection:
            offsets = self.run(progress_of(connection, projection, version))
            return offsets, self.run(read_prints(connection, projection, version))

    def compare(
        self, projection: Model, live: int, version: int, catch_up: Callable[[Offsets], None], window: Window
    ) -> list[TableDrift]:
        """The live writer waits only until a snapshot of both versions at its offsets is taken."""
        snapshot = self._postgres.connect(_SESSION)
        with self._transaction(snapshot, isolation="repeatable_read", readonly=True):
            with self._transaction(self.connection) as connection:
                catch_up(self.run(progress_of(connection, projection, live, "FOR UPDATE")))
                self.run(snapshot.execute("SELECT FROM rm.live"))
            return self.run(compare_tables(snapshot, projection, live, version, window))

    @contextmanager
    def _transaction(self, connection: asyncpg.Connection, **options: Any) -> Iterator[asyncpg.Connection]:
        transaction = connection.transaction(**options)
        self.run(transaction.start())
        try:
            yield connection
        except BaseException:
            if not connection.is_closed():
                self.run(transaction.rollback())
            raise
        self.run(transaction.commit())


class PostgresLoader:
    """COPY into tables that have no key yet, upserts into the others."""

    def __init__(self, copies: PostgresCopies, projection: Model, version: int) -> None:
        self._copies, self._model, self._version = copies, projection, version
        self._schema = schema_name(projection.name, version)
        self._bare = {
            table for table in projection.tables if not copies.run(has_key(copies.writer, self._schema, table))
        }

    def write(self, advance: Advance, changes: Changes) -> None:
        try:
            self._copies.run(self._write(self._copies.writer, advance, changes))
        except NEVER as error:
            raise Refused(f"{type(error).__name__}: {error}") from error
        except GONE as error:
            raise Fenced(f"the tables of {self._model.name} v{self._version} are gone: {error}") from error

    async def _write(self, connection: asyncpg.Connection, advance: Advance, changes: Changes) -> None:
        async with connection.transaction():
            moved = await connection.fetchval(
                "UPDATE rm.progress SET next_offset = $6, event_time = COALESCE($7, event_time) "
                "WHERE projection = $1 AND version = $2 AND topic = $3 AND partition = $4 AND next_offset = $5 "
                "RETURNING 1",
                *(self._model.name, self._version, self._model.topic, advance.partition),
                *(advance.expected, advance.next_offset, advance.event_time),
            )
            if not moved:
                raise Fenced(f"{self._model.name} v{self._version}[{advance.partition}] left {advance.expected}")
            for table, rows in changes.items():
                for shape, group in by_shape(rows).items():
                    if table in self._bare and shape == INSERT:
                        await connection.copy_records_to_table(table.name, records=group, schema_name=self._schema)
                    else:
                        source = f"unnest($1::{self._schema}.{table.name}[])"
                        await connection.execute(change_statement(self._schema, table, shape, source), group)


async def progress_of(
    connection: asyncpg.Connection, projection: Model, version: int, lock: str = ""
) -> dict[int, int]:
    rows = await connection.fetch(
        "SELECT partition, next_offset FROM rm.progress "
        f"WHERE projection = $1 AND version = $2 ORDER BY partition {lock}",
        *(projection.name, version),
    )
    return {row["partition"]: row["next_offset"] for row in rows}


async def has_key(connection: asyncpg.Connection, schema: str, table: Table) -> bool:
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_index WHERE indrelid = to_regclass($1) AND indisprimary)",
        f"{schema}.{table.name}",
    )
    return found


async def _add_key(connection: asyncpg.Connection, schema: str, table: Table) -> None:
    """Events appended twice are rows twice until here; the copies are alike, so any one may stay."""
    name, key = f"{schema}.{table.name}", ", ".join(table.key)
    add = f"ALTER TABLE {name} ADD PRIMARY KEY ({key})"
    try:
        await connection.execute(add)
    except asyncpg.UniqueViolationError:
        async with connection.transaction():
            await connection.execute(
                f"DELETE FROM {name} WHERE ctid IN (SELECT ctid FROM "
                f"(SELECT ctid, row_number() OVER (PARTITION BY {key} ORDER BY ctid) AS n FROM {name}) t WHERE n > 1)"
            )
            await connection.execute(add)

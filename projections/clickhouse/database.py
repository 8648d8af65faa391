"""What this package asks of a ClickHouse server: tables, blocks, progress and the switch between versions. Blocking."""

from __future__ import annotations

import struct
import time
from collections.abc import Collection
from functools import cache
from typing import Any

import clickhouse_connect
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.exceptions import ClickHouseError, DataError, Error

from projections.clickhouse.columns import columns_of, empty_of
from projections.clickhouse.erasing import texts_of
from projections.clickhouse.layout import (
    DATABASE,
    Live,
    create_progress,
    create_storage,
    create_view,
    key_of,
    live_of,
    revision_of,
    storage_of,
    version_of,
    view_of,
)
from projections.clickhouse.log import Block, EventLog
from projections.clickhouse.rollups import create_rollups
from projections.contract import Advance, Fenced, Refused
from topology.settings import Settings
from topology.topics import EVENT_TOPICS

_INSERT = {
    "async_insert": 0,  # acknowledged is stored
    "wait_end_of_query": 1,
    "optimize_on_insert": 0,  # FINAL finds an event that is twice in one block; looking for it here costs a third
}
_GONE = frozenset({60, 81})  # UNKNOWN_TABLE, UNKNOWN_DATABASE
_BAD_DATA = frozenset({6, 27, 33, 53, 69, 117, 349, 407})  # parsing, types, ranges: the same rows fail every time


class Database:
    """One connection's worth of ClickHouse. Raises ClickHouseError while the server is away."""

    def __init__(self, settings: Settings, name: str = DATABASE) -> None:
        self.name = name
        self._client = clickhouse_connect.get_client(
            dsn=settings.clickhouse_url,
            username=settings.clickhouse_user,
            password=settings.clickhouse_password.get_secret_value(),
            database="default",
            autogenerate_session_id=False,
            compress=False,
            connect_timeout=5,
            send_receive_timeout=120,
        )

    def close(self) -> None:
        self._client.close()

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._client.query(query, parameters=parameters).result_rows]

    def command(self, statement: str) -> None:
        self._client.command(statement)

    def ensure(self, topics: Collection[str]) -> None:
        """Create what is missing: the database, for each topic without a view an empty version, the rollups."""
        self.command(f"CREATE DATABASE IF NOT EXISTS {self.name}")
        for topic in topics:
            if self.live(topic) is None:
                version = self.create_version(topic)
                self.command(create_view(self.name, topic, version, replace=False))
                if self.live(topic) != Live(version, revision_of(topic)):
                    self.drop_version(topic, version)  # another process was first
        for statement in create_rollups(self.name, topics):
            self.command(statement)
        self._show_progress()

    def _show_progress(self) -> None:
        comments = dict(self.rows("SELECT name, comment FROM system.tables WHERE database = {db:String}", db=self.name))
        live = {topic.name: live_of(comments.get(view_of(topic.name), "")) for topic in EVENT_TOPICS}
        shown = {topic: known.version for topic, known in live.items() if known is not None}
        self.command(create_progress(self.name, shown))

    def create_version(self, topic: str) -> int:
        """An empty storage table under a number that was never used, not even before the database was dropped: a
        writer that still holds an old number can only fail.
        """
        self.command(f"CREATE DATABASE IF NOT EXISTS {self.name}")
        version = max(time.time_ns() // 1_000_000, *(known + 1 for known in self.versions(topic)), 0)
        self.command(create_storage(self.name, topic, version))
        return version

    def versions(self, topic: str) -> list[int]:
        """The versions of a topic's storage that exist, oldest first."""
        names = self.rows("SELECT name FROM system.tables WHERE database = {db:String}", db=self.name)
        return sorted(version for (name,) in names if (version := version_of(topic, name)) is not None)

    def drop_version(self, topic: str, version: int) -> None:
        self.command(f"DROP TABLE IF EXISTS {self.name}.{storage_of(topic, version)} SYNC")

    def live(self, topic: str) -> Live | None:
        """The version that the topic's view shows; None without a view."""
        comments = self.rows(
            "SELECT comment FROM system.tables WHERE database = {db:String} AND name = {view:String}",
            db=self.name,
            view=view_of(topic),
        )
        return live_of(comments[0][0]) if comments else None

    def switch(self, topic: str, version: int) -> None:
        """Let the topic's view show another version, atomically, and create what else of it is missing."""
        self.command(create_view(self.name, topic, version, replace=True))
        for statement in create_rollups(self.name, [topic]):
            self.command(statement)
        self._show_progress()

    def progress(self, topic: str, version: int) -> dict[int, int]:
        """The next offset of each partition that the storage has rows of. Raises Fenced when the storage is gone."""
        table = f"{self.name}.{storage_of(topic, version)}"
        try:
            rows = self.rows(f"SELECT _partition, max(_offset) + 1 FROM {table} GROUP BY _partition")
        except Error as error:
            raise _typed(error) from error
        return {int(partition): int(offset) for partition, offset in rows}

    def insert(self, log: EventLog, version: int, advance: Advance, block: Block) -> None:
        """Append one block of one topic-partition, and where records without a row follow its last one, the mark of
        progress behind them. One part, all or nothing; a repeated token within the server's window is ignored.

        Raises Fenced when the storage is gone, Refused when rows do not fit, ClickHouseError when unsure.
        """
        names, types = _target(log)
        columns, offsets = block
        if not offsets or max(offsets) + 1 < advance.next_offset:
            mark = _mark(log, advance.partition)
            columns = [[*column, value] for column, value in zip(columns, mark, strict=True)]
            offsets = [*offsets, advance.next_offset - 1]
        count = len(offsets)
        token = f"{log.topic}:{advance.partition}:{min(offsets)}-{max(offsets)}"
        try:
            self._client.insert(
                f"{self.name}.{storage_of(log.topic, version)}",
                [*columns, [log.topic] * count, [advance.partition] * count, offsets],
                column_names=names,
                column_types=types,
                column_oriented=True,
                settings={"insert_deduplication_token": token, **_INSERT},
            )
        except ClickHouseError as error:
            raise _typed(error) from error
        except (AttributeError, OverflowError, TypeError, ValueError, struct.error) as error:
            raise Refused(f"{log.topic}[{advance.partition}]: {error}") from error

    def remains(self, topic: str, version: int, subjects: Collection[str]) -> int:
        """How many personal texts about these users the storage holds. Raises Fenced."""
        try:
            return sum(self._count(topic, version, where) for _, where in texts_of(topic, subjects))
        except Error as error:
            raise _typed(error) from error

    def erase(self, topic: str, version: int, subjects: Collection[str]) -> None:
        """Empty the personal texts about these users; returns when every part is rewritten. Raises Fenced."""
        table = f"{self.name}.{storage_of(topic, version)}"
        try:
            for column, where in texts_of(topic, subjects):
                if self._count(topic, version, where):  # a mutation that finds nothing still costs one
                    self.command(f"ALTER TABLE {table} UPDATE {column} = '' WHERE {where} SETTINGS mutations_sync = 1")
        except Error as error:
            raise _typed(error) from error

    def _count(self, topic: str, version: int, where: str) -> int:
        return int(self.rows(f"SELECT count() FROM {self.name}.{storage_of(topic, version)} WHERE {where}")[0][0])


@cache
def _target(log: EventLog) -> tuple[list[str], list[Any]]:
    columns = columns_of(log.topic)
    return [column.name for column in columns], [get_from_name(column.type) for column in columns]


def _mark(log: EventLog, partition: int) -> list[Any]:
    """A row of type '' that no view shows. One key per partition, so merges leave only the furthest."""
    values: dict[str, Any] = {column.name: _blank(column.type) for column in log.columns}
    values |= {"event_id": f"progress:{partition}", "type": "", key_of(log.topic): ""}
    return list(values.values())


def _blank(type_: str) -> Any:
    if type_.startswith(("Nullable", "Array", "Map")):
        return empty_of(type_)
    return "" if "String" in type_ else 0


def _typed(error: ClickHouseError) -> Exception:
    code = error.code if isinstance(error, Error) else None
    if code in _GONE:
        return Fenced(str(error))
    if code in _BAD_DATA or isinstance(error, DataError):
        return Refused(str(error))
    return error

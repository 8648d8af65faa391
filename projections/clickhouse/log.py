"""The fold into ClickHouse: events as they are, column by column."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from projections.clickhouse.columns import Column, columns_of
from projections.clickhouse.layout import revision_of
from projections.contract import Fields, Record
from schemas.catalog import events_of
from topology.topics import EVENT_TOPICS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Block(NamedTuple):
    """Rows in the order of their offsets, as columns: the values of `EventLog.columns`."""

    columns: list[list[Any]]
    offsets: list[int]

    def since(self, offset: int) -> Block:
        """The rows from an offset on."""
        first = bisect_left(self.offsets, offset)
        return Block([column[first:] for column in self.columns], self.offsets[first:])


@dataclass(frozen=True)
class EventLog:
    """One topic, every event a row."""

    topic: str

    @property
    def name(self) -> str:
        return f"clickhouse-{self.topic}"

    @property
    def revision(self) -> int:
        return revision_of(self.topic)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns that come from the event itself, not from its place in Kafka."""
        return tuple(column for column in columns_of(self.topic) if not column.name.startswith("_"))

    @cached_property
    def _types(self) -> frozenset[str]:
        return frozenset(model.__name__ for model in events_of(self.topic))

    def fold(self, records: Iterable[Record]) -> Block:
        """Raises KeyError for a record type that has no place on the topic."""
        records = list(records)
        strangers = {record.type for record in records} - self._types
        if strangers:
            raise KeyError(strangers.pop())
        rows = [record.fields for record in records]
        return Block([_values(column, rows) for column in self.columns], [record.offset for record in records])


def _values(column: Column, rows: Sequence[Fields]) -> list[Any]:
    """Times as numbers of microseconds: the driver would take longer over them than over all the rest."""
    name = column.name
    if column.type.startswith("DateTime64"):
        return [(row[name] - _EPOCH) // _MICROSECOND for row in rows]
    if column.type.startswith("Nullable(DateTime64"):
        return [None if (at := row.get(name)) is None else (at - _EPOCH) // _MICROSECOND for row in rows]
    if column.type.startswith("Nullable"):
        return [row.get(name) for row in rows]
    if column.type.startswith("Array"):
        return [row.get(name, ()) for row in rows]
    return [row[name] for row in rows]


LOGS = tuple(EventLog(topic.name) for topic in EVENT_TOPICS)

"""The fold into ClickHouse: events as they are, column by column."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from projections.clickhouse.columns import Column, columns_of
from projections.clickhouse.layout import revision_of
from projections.contract import Record
from schemas.catalog import events_of
from topology.topics import EVENT_TOPICS


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
    def _absent(self) -> dict[str, dict[str, Any]]:
        """For each record type, what stands in the columns of the other types."""
        names = {model.__name__: frozenset(model.model_fields) for model in events_of(self.topic)}
        return {
            type_: {
                column.name: [] if column.type.startswith("Array") else None
                for column in self.columns
                if column.name not in own
            }
            for type_, own in names.items()
        }

    def fold(self, records: Iterable[Record]) -> Block:
        """Raises KeyError for a record type that has no place on the topic."""
        records = list(records)
        absent = self._absent
        rows = [{**absent[record.type], **record.fields} for record in records]
        columns = [[row[column.name] for row in rows] for column in self.columns]
        return Block(columns, [record.offset for record in records])


LOGS = tuple(EventLog(topic.name) for topic in EVENT_TOPICS)

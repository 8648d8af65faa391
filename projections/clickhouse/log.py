"""The fold into ClickHouse: events as they are, column by column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import compress, repeat
from operator import itemgetter
from typing import Any, NamedTuple

from projections.clickhouse.columns import Column, columns_of, empty_of
from projections.clickhouse.layout import revision_of
from projections.contract import Fields, Record
from schemas.catalog import events_of
from topology.topics import EVENT_TOPICS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros_of(at: datetime) -> int:
    """Microseconds since the epoch, exactly."""
    return (at - _EPOCH) // _MICROSECOND


_FIRST = micros_of(datetime.min.replace(tzinfo=UTC))
_LAST = micros_of(datetime.max.replace(tzinfo=UTC))


class Block(NamedTuple):
    """Rows as columns, in any order: the values of `EventLog.columns`."""

    columns: list[list[Any]]
    offsets: list[int]

    def since(self, offset: int) -> Block:
        """The rows from an offset on."""
        kept = [known >= offset for known in self.offsets]
        return Block([list(compress(column, kept)) for column in self.columns], list(compress(self.offsets, kept)))


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
    def _names(self) -> dict[str, tuple[str, ...]]:
        """The columns that each record type has."""
        fields = {model.__name__: frozenset(model.model_fields) for model in events_of(self.topic)}
        return {type_: tuple(c.name for c in self.columns if c.name in own) for type_, own in fields.items()}

    def fold(self, records: Iterable[Record]) -> Block:
        """Raises KeyError for a record type that has no place on the topic."""
        by_type: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            by_type[record.type].append(record)
        block = Block([[] for _ in self.columns], [])
        for type_, those in by_type.items():
            values = _transposed(self._names[type_], [record.fields for record in those])
            for column, collected in zip(self.columns, block.columns, strict=True):
                collected.extend(_of(column, values.get(column.name), len(those)))
            block.offsets.extend(record.offset for record in those)
        return block


def _transposed(names: tuple[str, ...], rows: Sequence[Fields]) -> dict[str, tuple[Any, ...]]:
    return dict(zip(names, zip(*map(itemgetter(*names), rows), strict=True), strict=True))


def _of(column: Column, values: tuple[Any, ...] | None, count: int) -> Iterable[Any]:
    """Times as numbers of microseconds, if they are not yet: the driver would take longer over them than over all the
    rest. Raises OverflowError for a number that is no datetime's.
    """
    if values is None:
        return repeat(empty_of(column.type), count)
    if "DateTime64" not in column.type:
        return values
    if isinstance(values[0], int):
        if min(values) < _FIRST or max(values) > _LAST:
            raise OverflowError(f"{column.name} is out of range")
        return values
    return [None if at is None else micros_of(at) for at in values]


LOGS = tuple(EventLog(topic.name) for topic in EVENT_TOPICS)

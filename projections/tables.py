"""Read-model tables, and changes to their rows that can be merged per key.

Every change is an upsert of a full row that says which columns it sets on a row already there, or a delete. That form
is closed under merging: any run of changes to one key is again one such change, so a batch needs one statement per
table and shape, and the result does not depend on where batches are cut.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from projections.contract import Fields, Record

Row = tuple[Any, ...]
"""Values of all of a table's columns in their order; the key's come first."""

Shape = frozenset[str]
"""The columns that a change sets on a row already there."""

DELETE: Shape = frozenset({"delete"})
"""The shape of a delete; its row holds the key, then None."""

INSERT: Shape = frozenset()
"""The shape of a change that leaves a row already there as it is."""

REPLACE: Shape = frozenset({"replace"})
"""The shape of a change after which the row is `row`, whatever was there."""


class Subject(NamedTuple):
    """Whom a personal text of a row is about: the user whose id stands in `column`, in rows where `where` holds."""

    column: str
    where: str = "true"
    """An SQL condition over the table's columns."""


@dataclass(frozen=True, eq=False)
class Table:
    """One table. All events of one row must stand in one partition."""

    name: str
    columns: Mapping[str, str]
    """Name to Postgres type, the key's columns first."""
    key_width: int = 1
    once: frozenset[str] = frozenset()
    """Columns whose first value that is not null stays; a change that does not set one leaves it null."""
    computed: Mapping[str, str] = field(default_factory=dict)
    """Columns of the view only: name to SQL expression over the table's."""
    append_only: bool = False
    """Every change has the shape INSERT: a rebuild may load the rows before their key."""
    since: str = ""
    """The column with the time of the row's first event, where the topic's retention takes events away."""
    personal: Mapping[str, Subject] = field(default_factory=dict)
    """Columns with personal texts. Erasing a user empties them, which is what a replay without the user's key gives."""
    indexes: tuple[str, ...] = ()
    """What stands after ON table: `(channel_id, sent_at DESC)`."""

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(self.columns)[: self.key_width]

    def row(self, sets: Shape, **values: Any) -> Change:
        """A change by the columns' names; those that are not named are null where the row is absent."""
        return Change(self, tuple(values.get(name) for name in self.columns), sets)

    def delete(self, *key: Any) -> Change:
        return Change(self, (*key, *(None,) * (len(self.columns) - len(key))), DELETE)


class Change(NamedTuple):
    """An absent row becomes `row`; of a present one the columns in `sets` take `row`'s values, unless set once."""

    table: Table
    row: Row
    sets: Shape


Changes = dict[Table, dict[Row, Change]]
"""One change per table and key."""


def merge(changes: Iterable[Change]) -> Changes:
    """The changes of a batch in order, as at most one per key."""
    merged: Changes = defaultdict(dict)
    for change in changes:
        table, row, _ = change
        rows, key = merged[table], row[: table.key_width]
        earlier = rows.get(key)
        rows[key] = change if earlier is None else _then(earlier, change)
    return merged


def _then(first: Change, second: Change) -> Change:
    """The one change that equals `first` followed by `second`."""
    table = first.table
    if second.sets in (DELETE, REPLACE):
        return second
    if first.sets == DELETE:
        return Change(table, second.row, REPLACE)
    row = list(first.row)
    for position, once in _positions(table, second.sets):
        if not once or row[position] is None:
            row[position] = second.row[position]
    return Change(table, tuple(row), REPLACE if first.sets == REPLACE else first.sets | second.sets)


@cache
def _positions(table: Table, sets: Shape) -> tuple[tuple[int, bool], ...]:
    """Where the columns stand, and whether each is set once."""
    return tuple((place, name in table.once) for place, name in enumerate(table.columns) if name in sets)


def by_shape(rows: Mapping[Row, Change]) -> dict[Shape, list[Row]]:
    """A table's rows grouped by what they set; keys are distinct, so the groups' order does not matter."""
    groups: dict[Shape, list[Row]] = defaultdict(list)
    for change in rows.values():
        groups[change.sets].append(change.row)
    return groups


@dataclass(frozen=True, eq=False)
class Model:
    """A projection into tables: for every record type of its topic, what one record changes.

    `log` is what some record types leave in a table of what was done, besides.
    """

    name: str
    topic: str
    tables: tuple[Table, ...]
    on: Mapping[str, Callable[[Fields], Change]]
    log: Mapping[str, Callable[[Fields], Change]] = field(default_factory=dict)
    revision: int = 1

    def fold(self, records: Iterable[Record]) -> Changes:
        """Raises KeyError for a record type that has no place on the topic."""
        on = self.on
        if not self.log:
            return merge(on[record.type](record.fields) for record in records)
        return merge(self._changes_and_log(records))

    def _changes_and_log(self, records: Iterable[Record]) -> Iterator[Change]:
        on, log = self.on, self.log
        for record in records:
            yield on[record.type](record.fields)
            if record.type in log:
                yield log[record.type](record.fields)

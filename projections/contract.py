"""What the runners (live, replay) and the stores (Postgres, ClickHouse) agree on.

A runner reads records of one topic-partition in order, folds them, and hands the outcome to a sink together with the
progress it makes. A projection knows no runner and no store's connection; a sink owns the progress.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

Fields = Mapping[str, Any]
"""A decoded record's values by field name."""


class Record(NamedTuple):
    """A decoded record; `type` is its record's short name."""

    offset: int
    type: str
    fields: Fields


class Advance(NamedTuple):
    """The step a partition makes: from the offset that the sink holds to the next one to read.

    `next_offset` also passes records that were set aside and the markers of transactions, so offsets may have gaps.
    """

    partition: int
    expected: int
    next_offset: int
    event_time: datetime | None
    """Of the last record applied; None leaves the stored one as it is."""


class Fenced(Exception):
    """The sink's progress is not what this runner left there: another one writes. Stop, and start from the sink's."""


class Refused(Exception):
    """The store can never take these rows: at least one record among them is poison. Nothing was written."""


class StaleModel(Exception):
    """The tables were built by another revision of the fold: rebuild them."""


P_contra = TypeVar("P_contra", contravariant=True)
C_co = TypeVar("C_co", covariant=True)
C_contra = TypeVar("C_contra", contravariant=True)


class Projection(Protocol[C_co]):
    """A fold over exactly one topic. Its result must not depend on how the records are cut into batches."""

    @property
    def name(self) -> str: ...

    @property
    def revision(self) -> int:
        """Raised with every change of the tables or the fold; the tables know which one made them."""

    @property
    def topic(self) -> str: ...

    def fold(self, records: Iterable[Record]) -> C_co:
        """What the records change. Pure; any exception means that one of the records is poison."""


class Sink(Protocol[P_contra, C_contra]):
    """A store of several projections with the progress of each.

    All methods wait, retry and log while the store is away; they raise only what they name.
    """

    async def open(self) -> None:
        """Connect and create what is missing; two processes may do so at once. Raises StaleModel."""

    async def progress(self, projection: P_contra, partitions: Iterable[int]) -> dict[int, int]:
        """The next offset to read of each partition asked for; 0 at the beginning."""

    async def write(self, projection: P_contra, advance: Advance, changes: C_contra) -> None:
        """Apply the changes and the step as one, or nothing. Raises Fenced, Refused.

        When the outcome is unsure (the connection was lost) it finds out by the progress, and applies once.
        """

    async def check(self, projection: P_contra, standing: Mapping[int, int]) -> None:
        """Raises Fenced when the progress is no longer at these next offsets because another version is live now, or
        none: without new events nothing else would tell.
        """

    async def erase(self, projection: P_contra, subjects: Collection[str]) -> None:
        """Empty the personal texts about these users, as a replay without their keys would. Raises Fenced."""

    async def close(self) -> None: ...


class Store(Protocol[P_contra, C_contra]):
    """What `python -m projections <store>` runs: `projections.<store>.sink.create_store(settings)` makes it."""

    @property
    def name(self) -> str: ...

    @property
    def projections(self) -> Sequence[Any]: ...

    @property
    def rest_s(self) -> float:
        """How long a topic waits at the least after a round, so that the next one is larger, seconds."""

    @property
    def fetch_min_bytes(self) -> int:
        """How much a fetch waits for, up to 100 ms; 1 where every event is wanted at once."""

    @property
    def sink(self) -> Sink[P_contra, C_contra]: ...

"""The live runner's sink: blocks into the version that analysts see, with the progress read back from the tables.

Progress is the highest offset in the storage, so rows and progress cannot part; records without a row (poison that was
set aside, markers of transactions) are covered by a mark in the same block. A second writer that does not know it was
replaced repeats rows that are already there: they count once. A switched or dropped version fences the writer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError

from projections.clickhouse.database import Database
from projections.clickhouse.layout import Live
from projections.clickhouse.log import LOGS, Block, EventLog
from projections.contract import Advance, Fenced, StaleModel
from topology.settings import Settings

T = TypeVar("T")

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 5.0

log = structlog.get_logger()


class ClickHouseSink:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database: Database | None = None
        self._live: dict[str, Live] = {}
        self._unsure: set[tuple[str, int]] = set()
        """Partitions whose last insert may or may not have arrived."""

    async def open(self) -> None:
        """Raises StaleModel when a view shows a storage of other columns than today's."""
        await self._patiently("open", self._open)

    async def progress(self, projection: EventLog, partitions: Iterable[int]) -> dict[int, int]:
        """Raises Fenced when the version seen by `open` is gone."""
        known = await self._patiently("progress", lambda: self._progress(projection))
        return {partition: known.get(partition, 0) for partition in partitions}

    async def check(self, projection: EventLog, standing: Mapping[int, int]) -> None:
        """A version's number is never used again, so the progress need not be read: that costs a scan."""
        await self._patiently("check", lambda: self._check(projection))

    async def write(self, projection: EventLog, advance: Advance, changes: Block) -> None:
        """An insert whose outcome is unsure is looked up in the storage, and what is missing is inserted again."""
        await self._patiently("write", lambda: self._write(projection, advance, changes))

    async def erase(self, projection: EventLog, subjects: Collection[str]) -> None:
        """See Sink."""
        version = self._live[projection.topic].version
        await self._patiently("erase", lambda: self._connected().erase(projection.topic, version, subjects))

    async def close(self) -> None:
        if self._database is not None:
            await asyncio.to_thread(self._database.close)

    def _connected(self) -> Database:
        if self._database is None:
            self._database = Database(self._settings)
        return self._database

    def _open(self) -> None:
        database = self._connected()
        database.ensure([projection.topic for projection in LOGS])
        for projection in LOGS:
            live = database.live(projection.topic)
            if live is None:
                raise Fenced(f"the view of {projection.topic} went away")
            if live.revision != projection.revision:
                raise StaleModel(f"{projection.name}: ./tally replay rebuild clickhouse.{projection.topic}")
            self._live[projection.topic] = live

    def _progress(self, projection: EventLog) -> dict[int, int]:
        return self._connected().progress(projection.topic, self._live[projection.topic].version)

    def _check(self, projection: EventLog) -> None:
        live = self._live[projection.topic]
        if self._connected().live(projection.topic) != live:
            raise Fenced(f"the view of {projection.topic} no longer shows version {live.version}")

    def _write(self, projection: EventLog, advance: Advance, block: Block) -> None:
        self._check(projection)
        database, live, place = self._connected(), self._live[projection.topic], (projection.topic, advance.partition)
        if place in self._unsure:
            reached = self._progress(projection).get(advance.partition, 0)
            if reached >= advance.next_offset:
                self._unsure.discard(place)
                return
            block = block.since(reached)
        self._unsure.add(place)
        database.insert(projection, live.version, advance, block)
        self._unsure.discard(place)

    async def _patiently(self, what: str, call: Callable[[], T]) -> T:
        """The call's outcome, however long the server is away."""
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                return await asyncio.to_thread(call)
            except ClickHouseError as error:
                log.warning("clickhouse_away", doing=what, error=str(error)[:500], retry_in_s=wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)


@dataclass(frozen=True)
class ClickHouseStore:
    sink: ClickHouseSink
    name: str = "clickhouse"
    projections: Sequence[EventLog] = LOGS
    rest_s: float = 2.0
    """A block costs as much as thousands of its rows; analysts do not wait for single ones."""
    fetch_min_bytes: int = 1_000_000


def create_store(settings: Settings) -> ClickHouseStore:
    return ClickHouseStore(ClickHouseSink(settings))

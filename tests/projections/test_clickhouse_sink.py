"""The live runner's sink for ClickHouse keeps the contract of sinks: once, in order, fenced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest

from projections.clickhouse.database import Database
from projections.clickhouse.log import EventLog
from projections.clickhouse.sink import ClickHouseSink, create_store
from projections.contract import Advance, Fenced, StaleModel
from tests.projections.test_clickhouse_database import NOON, event
from topology.settings import Settings

pytestmark = pytest.mark.stack

CHANNELS = EventLog("channels")


class Writer:
    """A live runner on one partition."""

    def __init__(self, sink: ClickHouseSink, next_offset: int) -> None:
        self.sink, self.next_offset = sink, next_offset

    async def write(self, count: int, *, skipped: int = 0) -> None:
        records = [
            event("channels", "ChannelUpdated", self.next_offset + n, channel_id="7", title="t") for n in range(count)
        ]
        advance = Advance(0, self.next_offset, self.next_offset + count + skipped, NOON)
        await self.sink.write(CHANNELS, advance, CHANNELS.fold(records))
        self.next_offset = advance.next_offset


@pytest.fixture
async def sink(clickhouse: Settings) -> AsyncIterator[ClickHouseSink]:
    """Over a database made anew."""
    with closing(Database(clickhouse)) as database:
        database.command("DROP DATABASE IF EXISTS tally SYNC")
    made = create_store(clickhouse).sink
    await made.open()
    yield made
    await made.close()


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with closing(Database(settings)) as database:
        return database.rows(query)


async def test_it_begins_at_nothing_and_goes_on_where_it_was(sink: ClickHouseSink, clickhouse: Settings) -> None:
    assert await sink.progress(CHANNELS, [0, 3]) == {0: 0, 3: 0}
    writer = Writer(sink, 0)
    await writer.write(3)
    await writer.write(0, skipped=4)
    again = ClickHouseSink(clickhouse)
    await again.open()
    assert await again.progress(CHANNELS, [0, 3]) == {0: 7, 3: 0}
    await again.close()


async def test_two_runners_on_one_partition_count_once(sink: ClickHouseSink, clickhouse: Settings) -> None:
    """One was believed dead; rows of both are the same events."""
    other = ClickHouseSink(clickhouse)
    await other.open()
    records = [event("channels", "ChannelUpdated", n, channel_id="7", title="t") for n in range(10)]
    await sink.write(CHANNELS, Advance(0, 0, 10, NOON), CHANNELS.fold(records))
    await other.write(CHANNELS, Advance(0, 0, 6, NOON), CHANNELS.fold(records[:6]))
    await other.close()
    assert rows(clickhouse, "SELECT count() FROM tally.channels") == [(10,)]
    assert await sink.progress(CHANNELS, [0]) == {0: 10}


async def test_an_insert_whose_outcome_is_unsure_is_finished(sink: ClickHouseSink, clickhouse: Settings) -> None:
    """Part of the block is there, as after a broken connection."""
    records = [event("channels", "ChannelUpdated", n, channel_id="7", title="t") for n in range(10)]
    await sink.write(CHANNELS, Advance(0, 0, 4, NOON), CHANNELS.fold(records[:4]))
    sink._unsure.add(("channels", 0))
    await sink.write(CHANNELS, Advance(0, 0, 10, NOON), CHANNELS.fold(records))
    live = await sink.progress(CHANNELS, [0])
    assert live == {0: 10}
    with closing(Database(clickhouse)) as database:
        shown = database.live("channels")
        assert shown is not None
        storage = f"tally._channels_v{shown.version}"
        assert database.rows(f"SELECT count() FROM {storage}") == [(10,)], "rows that were there were sent again"


async def test_a_switch_fences_the_writer_and_the_next_goes_on_in_the_new_version(
    sink: ClickHouseSink, clickhouse: Settings
) -> None:
    writer = Writer(sink, 0)
    await writer.write(5)
    with closing(Database(clickhouse)) as database:
        version = database.create_version("channels")
        database.switch("channels", version)
    with pytest.raises(Fenced):
        await writer.write(1)
    with pytest.raises(Fenced):
        await sink.check(CHANNELS, {0: 5})
    await sink.open()
    assert await sink.progress(CHANNELS, [0]) == {0: 0}


async def test_a_dropped_database_fences_and_is_made_anew(sink: ClickHouseSink, clickhouse: Settings) -> None:
    await Writer(sink, 0).write(5)
    await sink.check(CHANNELS, {0: 5})
    with closing(Database(clickhouse)) as database:
        database.command("DROP DATABASE tally SYNC")
    with pytest.raises(Fenced):
        await sink.check(CHANNELS, {0: 5})
    with pytest.raises(Fenced):
        await sink.progress(CHANNELS, [0])
    await sink.open()
    assert await sink.progress(CHANNELS, [0]) == {0: 0}


async def test_tables_of_other_columns_than_todays_are_stale(sink: ClickHouseSink, clickhouse: Settings) -> None:
    with closing(Database(clickhouse)) as database:
        ((comment, query),) = database.rows(
            "SELECT comment, as_select FROM system.tables WHERE database = 'tally' AND name = 'channels'"
        )
        older = comment.rpartition("revision ")[0] + "revision 1)"
        database.command(f"CREATE OR REPLACE VIEW tally.channels AS {query} COMMENT '{older}'")
    with pytest.raises(StaleModel, match=r"clickhouse\.channels"):
        await sink.open()


async def test_it_waits_for_a_server_that_is_away(clickhouse: Settings) -> None:
    """Nothing is raised meanwhile: the runner's own timeout ends the wait here."""
    away = ClickHouseSink(clickhouse.model_copy(update={"clickhouse_url": "http://127.0.0.1:1"}))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(away.open(), 1.0)

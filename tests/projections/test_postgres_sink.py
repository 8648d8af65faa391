"""The Postgres sink: rows and progress as one, fenced by the progress it finds."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from projections.contract import Advance, Fenced, Record, Refused, StaleModel
from projections.models import MODELS, chat, follows
from projections.postgres.schema import ensure_live
from projections.postgres.sink import PostgresSink
from projections.tables import Model
from tests.projections.folding import record

NOW = datetime(2026, 3, 4, 5, 6, 7, 890123, UTC)
CHAT, FOLLOWS = chat.MODEL, follows.MODEL

pytestmark = pytest.mark.stack


def message(offset: int, text: str = "hi", channel: str = "1", **more: Any) -> Record:
    ids = {"message_id": str(uuid.uuid4()), "channel_id": channel, "sender_id": "2", "reply_parent_id": None}
    sent = record("MessageSent", **{**ids, "text": text, "occurred_at": NOW, **more})
    return sent._replace(offset=offset)


@pytest.fixture
async def sink(dsn: str) -> AsyncIterator[PostgresSink]:
    sink = PostgresSink(dsn)
    await sink.open()
    yield sink
    await sink.close()


@pytest.fixture
async def reader(dsn: str, sink: PostgresSink) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def write(sink: PostgresSink, model: Model, advance: Advance, *records: Record) -> None:
    await sink.write(model, advance, model.fold(records))


async def test_a_new_partition_begins_at_zero_and_moves_with_each_batch(
    sink: PostgresSink, reader: asyncpg.Connection
) -> None:
    assert await sink.progress(CHAT, [0, 3]) == {0: 0, 3: 0}
    await write(sink, CHAT, Advance(3, 0, 7, NOW), message(2), message(6))
    assert await sink.progress(CHAT, [0, 3]) == {0: 0, 3: 7}
    assert await reader.fetchval("SELECT count(*) FROM tally.chat_messages") == 2
    (row,) = await reader.fetch("SELECT * FROM tally.progress WHERE partition = 3")
    assert dict(row) == {
        "projection": "chat",
        "version": 1,
        "topic": "chat",
        "partition": 3,
        "next_offset": 7,
        "event_time": NOW,
    }


async def test_a_batch_without_changes_moves_the_progress_and_keeps_its_event_time(sink: PostgresSink) -> None:
    await sink.progress(CHAT, [0])
    await sink.write(CHAT, Advance(0, 0, 5, None), {})
    assert await sink.progress(CHAT, [0]) == {0: 5}


async def test_a_writer_that_missed_anothers_progress_is_fenced_and_writes_nothing(
    sink: PostgresSink, dsn: str, reader: asyncpg.Connection
) -> None:
    zombie = PostgresSink(dsn)
    await zombie.open()
    await sink.progress(CHAT, [0])
    await zombie.progress(CHAT, [0])
    await write(sink, CHAT, Advance(0, 0, 1, NOW), message(0))
    with pytest.raises(Fenced, match="chat v1 partition 0 stands at 1, not 0"):
        await write(zombie, CHAT, Advance(0, 0, 1, NOW), message(0))
    await zombie.close()
    assert await reader.fetchval("SELECT count(*) FROM tally.chat_messages") == 1


async def test_of_two_writers_at_once_one_wins(dsn: str, sink: PostgresSink, reader: asyncpg.Connection) -> None:
    other = PostgresSink(dsn)
    await other.open()
    await sink.progress(CHAT, [0])
    outcomes = await asyncio.gather(
        write(sink, CHAT, Advance(0, 0, 1, NOW), message(0)),
        write(other, CHAT, Advance(0, 0, 1, NOW), message(0)),
        return_exceptions=True,
    )
    await other.close()
    assert {type(outcome) for outcome in outcomes} == {type(None), Fenced}
    assert await reader.fetchval("SELECT count(*) FROM tally.chat_messages") == 1


async def test_values_that_postgres_never_takes_are_refused_and_leave_no_trace(
    sink: PostgresSink, reader: asyncpg.Connection
) -> None:
    await sink.progress(CHAT, [0])
    for poison in (
        message(0, "a NUL \0"),
        message(0, message_id=random.Random(1).randbytes(5000).hex()),
        message(0, sender_id=7),
    ):
        with pytest.raises(Refused):
            await write(sink, CHAT, Advance(0, 0, 2, NOW), message(1), poison)
    assert await sink.progress(CHAT, [0]) == {0: 0}
    assert await reader.fetchval("SELECT count(*) FROM tally.chat_messages") == 0


async def test_a_write_outlives_its_connections(sink: PostgresSink, reader: asyncpg.Connection) -> None:
    """The statement is held by a lock, its connection is cut, and it is applied once after all."""
    await sink.progress(CHAT, [0])
    async with reader.transaction():
        await reader.execute("LOCK rm.progress")
        writing = asyncio.create_task(write(sink, CHAT, Advance(0, 0, 1, NOW), message(0)))
        cut = 0
        while not cut:
            cut = await reader.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE application_name = 'tally-chat' AND wait_event_type = 'Lock'"
            )
    await writing
    assert await sink.progress(CHAT, [0]) == {0: 1}
    assert await reader.fetchval("SELECT count(*) FROM tally.chat_messages") == 1


async def test_a_write_that_was_applied_but_not_heard_of_is_not_applied_again(
    sink: PostgresSink, reader: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sink.progress(FOLLOWS, [0])
    fields = {"channel_id": "1", "follower_id": "2", "occurred_at": NOW}
    changes = FOLLOWS.fold([Record(0, "UserFollowed", fields)])
    connect = sink._connection
    fail = [ConnectionResetError("the answer was lost")]

    class Deaf:
        """Sends the statement and loses the answer, once."""

        def __init__(self, connection: asyncpg.Connection) -> None:
            self._connection = connection

        async def fetchval(self, *arguments: Any) -> Any:
            answer = await self._connection.fetchval(*arguments)
            if fail:
                raise fail.pop()
            return answer

    async def deaf(name: str) -> Any:
        return Deaf(await connect(name))

    monkeypatch.setattr(sink, "_connection", deaf)
    await sink.write(FOLLOWS, Advance(0, 0, 1, NOW), changes)
    monkeypatch.undo()
    assert await sink.progress(FOLLOWS, [0]) == {0: 1}
    assert await reader.fetchval("SELECT count(*) FROM tally.follows") == 1


async def test_processes_that_start_at_once_make_the_tables_once(dsn: str) -> None:
    sinks = [PostgresSink(dsn) for _ in range(4)]
    await asyncio.gather(*(sink.open() for sink in sinks))
    connection = await asyncpg.connect(dsn)
    views = await connection.fetch("SELECT viewname FROM pg_views WHERE schemaname = 'tally'")
    await asyncio.gather(connection.close(), *(sink.close() for sink in sinks))
    assert {row["viewname"] for row in views} == {"progress"} | {t.name for model in MODELS for t in model.tables}


async def test_tables_of_another_revision_are_not_written(sink: PostgresSink, reader: asyncpg.Connection) -> None:
    await reader.execute("UPDATE rm.live SET revision = 99 WHERE projection = 'chat'")
    with pytest.raises(StaleModel, match="replay rebuild chat"):
        await ensure_live(reader, CHAT)


async def test_a_writer_of_a_version_that_is_not_live_any_more_is_fenced(
    sink: PostgresSink, reader: asyncpg.Connection
) -> None:
    await sink.progress(CHAT, [0])
    await reader.execute("UPDATE rm.live SET version = 2 WHERE projection = 'chat'")
    with pytest.raises(Fenced):
        await write(sink, CHAT, Advance(0, 0, 1, NOW), message(0))


async def test_a_writer_whose_tables_were_dropped_is_fenced(sink: PostgresSink, reader: asyncpg.Connection) -> None:
    await sink.progress(CHAT, [0])
    await reader.execute("DROP SCHEMA rm_chat_v1 CASCADE")
    with pytest.raises(Fenced, match="gone"):
        await write(sink, CHAT, Advance(0, 0, 1, NOW), message(0))

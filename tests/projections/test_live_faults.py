"""Whatever is killed, whenever: nothing is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from projections.live.lag import lag_path
from schemas.events.chat import MessageSent
from tests.projections import parts
from tests.projections.parts import Feed, Part, Stack, runner
from tests.projections.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with parts.stack(tmp_path_factory.mktemp("live")) as stack:
        yield stack


@pytest.fixture
def feed(stack: Stack) -> Iterator[Feed]:
    with closing(Feed(stack.settings)) as feed:
        yield feed


@pytest.fixture
async def observer(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stack.dsn)
    yield connection
    await connection.close()


async def finish(stack: Stack, live: Part) -> None:
    await parts.caught_up(stack.settings, stack.dsn, live)
    await parts.assert_models_equal_their_topics(stack.settings, stack.dsn)


async def waiting_for_lock(observer: asyncpg.Connection, count: int = 1) -> None:
    async def waits() -> bool:
        found: int = await observer.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'tally-%' AND wait_event_type = 'Lock'"
        )
        return found >= count

    await eventually(waits)


async def test_events_become_rows_the_lag_is_published_and_sigterm_ends_well(stack: Stack, feed: Feed) -> None:
    feed.some(20)
    with runner(stack.settings) as live:
        await parts.ready(stack.settings, live)
        await finish(stack, live)

        async def no_lag() -> bool:
            published = json.loads(lag_path(stack.settings, "postgres").read_text())
            chat = published["projections"]["chat"]
            return published["pid"] == live.pid and (chat["lag"], chat["lag_s"], len(chat["partitions"])) == (0, 0.0, 4)

        await eventually(no_lag)
        assert live.stop() == 0


async def test_killed_again_and_again_under_load(stack: Stack, feed: Feed) -> None:
    done = asyncio.Event()
    feeding = asyncio.create_task(feed.run(done))
    for _ in range(4):
        with runner(stack.settings) as live:
            await parts.ready(stack.settings, live)
            await asyncio.sleep(random.random())
            live.kill()
    done.set()
    await feeding
    with runner(stack.settings) as live:
        await finish(stack, live)


@pytest.mark.parametrize("applied", [True, False], ids=["and applied after all", "and rolled back"])
async def test_killed_between_the_sinks_write_and_its_commit(
    stack: Stack, feed: Feed, observer: asyncpg.Connection, applied: bool
) -> None:
    """A lock holds the statement open within the server; its client dies meanwhile."""
    with runner(stack.settings) as live:
        await parts.ready(stack.settings, live)
        await parts.caught_up(stack.settings, stack.dsn, live)
        async with observer.transaction():
            await observer.execute("LOCK rm_chat_v1.chat_messages IN EXCLUSIVE MODE")
            feed.some(10)
            await waiting_for_lock(observer)
            live.kill()
            if not applied:
                await observer.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'tally-%'"
                )
    with runner(stack.settings) as live:
        await finish(stack, live)


async def test_postgres_is_killed_under_load(stack: Stack, feed: Feed) -> None:
    await kill_under_load(stack, feed, stack.postgres)


async def test_kafka_is_killed_under_load(stack: Stack, feed: Feed) -> None:
    await kill_under_load(stack, feed, stack.kafka)


async def kill_under_load(stack: Stack, feed: Feed, part: Part) -> None:
    """The runner need not be started again: it waits."""
    done = asyncio.Event()
    with runner(stack.settings) as live:
        await parts.ready(stack.settings, live)
        feeding = asyncio.create_task(feed.run(done))
        for _ in range(2):
            await asyncio.sleep(1.0)
            part.kill()
            await asyncio.sleep(0.5)
            await stack.up(part)
        done.set()
        await feeding
        await finish(stack, live)
        assert live.stop() == 0


async def test_processes_share_the_partitions_and_hand_them_over(stack: Stack, feed: Feed, tmp_path: Path) -> None:
    """Neither fences the other while partitions move under load."""
    done = asyncio.Event()
    feeding = asyncio.create_task(feed.run(done))
    elsewhere = stack.settings.model_copy(update={"data_dir": tmp_path})
    with runner(stack.settings) as first:
        await parts.ready(stack.settings, first)
        with runner(elsewhere) as second:
            await parts.ready(elsewhere, second)
            await asyncio.sleep(2.0)
            assert second.stop() == 0
        await asyncio.sleep(2.0)
        done.set()
        await feeding
        await finish(stack, first)
        assert first.stop() == 0


async def test_a_zombie_is_fenced_and_says_so(stack: Stack, feed: Feed, observer: asyncpg.Connection) -> None:
    """One process sleeps over a write that was never applied; another takes over; the first wakes up."""
    with runner(stack.settings) as zombie:
        await parts.ready(stack.settings, zombie)
        await parts.caught_up(stack.settings, stack.dsn, zombie)
        async with observer.transaction():
            await observer.execute("LOCK rm_chat_v1.chat_messages IN EXCLUSIVE MODE")
            feed.append(message("slept over"))
            await waiting_for_lock(observer)
            zombie.signal(signal.SIGSTOP)
            await observer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'tally-%'"
            )
        feed.append(message("meanwhile"))
        with runner(stack.settings) as successor:
            await parts.ready(stack.settings, successor)
            await finish(stack, successor)
            zombie.signal(signal.SIGCONT)
            assert await zombie.exit_code() == 1
            assert "Fenced: chat v1 partition" in zombie.log.read_text()
            feed.some(5)
            await finish(stack, successor)


def message(text: str) -> MessageSent:
    made = parts.event(MessageSent, channel_id="zombie", message_id=text, sender_id="1", sender_login="ann", text=text)
    assert isinstance(made, MessageSent)
    return made

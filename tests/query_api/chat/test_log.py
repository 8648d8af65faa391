"""Reading a partition of a real broker: in order, once, over outages, and past what was never committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from commands.identity import new_id
from query_api.chat.decoder import Decoder
from query_api.chat.log import end_of, follow, read
from schemas.wire import Codec
from tests.commands.system import PATIENCE_S, MortalBroker
from topology.kafka import client_config, producer_config
from topology.settings import Settings
from topology.tail import Record

pytestmark = pytest.mark.stack


@pytest.fixture
def decoder(kafka: Settings) -> Decoder:
    """The records of these tests are nobody's: no registry is asked."""
    with closing(Codec(kafka.schema_registry_url)) as codec:
        return Decoder(codec, ())


@pytest.fixture
def topic(kafka: Settings) -> str:
    """Of these records alone: deciders of other tests read the real ones."""
    name = f"said-{new_id()}"
    admin = AdminClient(client_config(kafka))
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(PATIENCE_S)
    return name


class Seen:
    def __init__(self) -> None:
        self.values: list[bytes] = []
        self.offset = 0

    def take(self, record: Record) -> None:
        self.values.append(record.value)

    def reached(self, topic: str, partition: int, offset: int) -> None:
        self.offset = offset


def append(settings: Settings, topic: str, *values: bytes, aborted: bool = False) -> None:
    options = {"transactional.id": new_id()} if aborted else {}
    producer = Producer(producer_config(settings) | options)
    if aborted:
        producer.init_transactions(PATIENCE_S)
        producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, "key", 0)
    assert producer.flush(PATIENCE_S) == 0
    if aborted:
        producer.abort_transaction(PATIENCE_S)


@asynccontextmanager
async def following(settings: Settings, decoder: Decoder, topic: str, start: int) -> AsyncIterator[Seen]:
    seen = Seen()
    task = asyncio.create_task(follow(settings, decoder, {(topic, 0): start}, {topic: seen}))
    try:
        yield seen
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # another program's doing
            await asyncio.sleep(0.05)


async def test_what_was_never_committed_is_passed_over(kafka: Settings, decoder: Decoder, topic: str) -> None:
    start = await end_of(kafka, topic, 0)
    async with following(kafka, decoder, topic, start) as seen:
        append(kafka, topic, b"a")
        append(kafka, topic, b"never", aborted=True)
        append(kafka, topic, b"b")
        await until(lambda: seen.values == [b"a", b"b"])
    end = await end_of(kafka, topic, 0)
    assert [record.value async for record in read(kafka, decoder, topic, 0, start, end)] == [b"a", b"b"]


async def test_a_span_ends_where_it_is_said_to_end_though_only_marks_stand_there(
    kafka: Settings, decoder: Decoder, topic: str
) -> None:
    append(kafka, topic, b"a")
    start = await end_of(kafka, topic, 0) - 1
    append(kafka, topic, b"never", aborted=True)
    end = await end_of(kafka, topic, 0)
    assert [record.value async for record in read(kafka, decoder, topic, 0, start, end)] == [b"a"]
    async with following(kafka, decoder, topic, start) as seen:
        await until(lambda: seen.offset == end)


@pytest.mark.faults
async def test_a_broker_that_is_killed_costs_nothing_and_repeats_nothing(tmp_path: Path, decoder: Decoder) -> None:
    with closing(MortalBroker(tmp_path)) as broker:
        async with following(broker.settings, decoder, "chat", 0) as seen:
            before = [f"before {number}".encode() for number in range(20)]
            after = [f"after {number}".encode() for number in range(20)]
            append(broker.settings, "chat", *before)
            await until(lambda: seen.values == before)
            broker.kill_and_restart()
            append(broker.settings, "chat", *after)
            await until(lambda: seen.values == before + after)

"""What is replaced inside Faust does what it should, on a real broker."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from faust.types import TP

from tests.projections.waiting import eventually
from topology.faust_app import App, LogTooShort
from topology.kafka import client_config, consumer_config, producer_config
from topology.settings import Settings

pytestmark = pytest.mark.stack


@pytest.fixture
def topic(kafka: Settings) -> str:
    """A topic of the test's own, with one partition."""
    name = f"faust-{uuid.uuid4().hex}"
    admin = AdminClient(client_config(kafka))
    (made,) = admin.create_topics([NewTopic(name, 1, 1)]).values()
    made.result(30)
    return name


@asynccontextmanager
async def reading(
    settings: Settings, topic: str, start: int, group: str = ""
) -> AsyncIterator[tuple[App, asyncio.Queue[Any]]]:
    """A running app, and the messages that its agent gets."""
    received: asyncio.Queue[Any] = asyncio.Queue()

    async def start_offsets(assigned: set[TP]) -> Mapping[TP, int]:
        return dict.fromkeys(assigned, start)

    async def read(stream: Any) -> None:
        async for event in stream.events():
            received.put_nowait(event.message)

    app = App(settings, group or f"test-{uuid.uuid4().hex}", start_offsets)
    channel = app.topic(topic, key_serializer="raw", value_serializer="raw", allow_empty=True, acks=False)
    app.agent(channel, name="read")(read)
    await app.start()
    try:
        yield app, received
    finally:
        await app.stop()


async def values(received: asyncio.Queue[Any], count: int) -> list[bytes | None]:
    return [(await received.get()).value for _ in range(count)]


async def test_records_of_an_aborted_transaction_are_never_seen(kafka: Settings, topic: str) -> None:
    producer = Producer(producer_config(kafka) | {"transactional.id": topic})
    producer.init_transactions(30)
    for value, end in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush()
        end(30)
    producer.begin_transaction()
    producer.produce(topic, b"open")
    producer.flush()
    async with reading(kafka, topic, 0) as (app, received):
        assert await values(received, 1) == [b"committed"]
        producer.commit_transaction(30)
        assert await values(received, 1) == [b"open"]
        assert received.empty()

        async def all_passed() -> bool:
            return app.ends(TP(topic, 0)) == (6, 6)  # three records, three markers

        await eventually(all_passed)


async def test_reading_starts_where_the_sink_is_and_not_where_the_group_is(kafka: Settings, topic: str) -> None:
    group = f"test-{uuid.uuid4().hex}"
    producer = Producer(producer_config(kafka))
    for number in range(5):
        producer.produce(topic, str(number))
    producer.flush()
    committer = Consumer(consumer_config(kafka, group))
    committer.commit(offsets=[TopicPartition(topic, 0, 4)], asynchronous=False)
    committer.close()
    async with reading(kafka, topic, 2, group) as (_, received):
        assert await values(received, 3) == [b"2", b"3", b"4"]
    checker = Consumer(consumer_config(kafka, group))
    (stored,) = checker.committed([TopicPartition(topic, 0)], timeout=30)
    checker.close()
    assert stored.offset == 4


async def test_a_sink_that_is_ahead_of_its_log_is_refused(kafka: Settings, topic: str) -> None:
    producer = Producer(producer_config(kafka))
    producer.produce(topic, b"0")
    producer.flush()
    async with reading(kafka, topic, 2) as (app, received):
        await app.wait_until_stopped()
        assert isinstance(app.crash_reason, LogTooShort)
        assert f"{topic}:0 ends at 1 and the sink has read to 2" in str(app.crash_reason)
        assert received.empty()


async def test_a_record_without_key_and_value_arrives(kafka: Settings, topic: str) -> None:
    producer = Producer(producer_config(kafka))
    producer.produce(topic, None)
    producer.flush()
    async with reading(kafka, topic, 0) as (_, received):
        message = await received.get()
    assert (message.offset, message.key, message.value) == (0, None, None)

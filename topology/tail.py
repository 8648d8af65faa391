"""Committed records of given partitions as they come, for an event loop.

librdkafka has one fetch under way for all partitions and parses it in C, beside the loop. aiokafka leaves a partition
out of the fetch under way that was just drained: each would need a consumer of its own, whose fetches the loop parses.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as AsyncTopicPartition
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from topology.kafka import aiokafka_options, consumer_config, record_bytes
from topology.settings import Settings

POLL_S = 0.2
BATCH = 500
REST_S = 0.005
"""Between two batches at the least: where much comes, each brings more."""
RETRY_S = 0.5

log = structlog.get_logger(__name__)

Place = tuple[str, int]
"""A topic and a partition of it."""


class Record(NamedTuple):
    """A record of the log. Without a value it is a tombstone, told as empty."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    timestamp_ms: int = 0


class Batch(NamedTuple):
    """`ends` are places that were read to their end, which lies there: also behind marks that are no records."""

    records: list[Record]
    ends: list[tuple[Place, int]]


async def ends_of(settings: Settings, places: Collection[Place]) -> dict[Place, int]:
    """The offsets that the next records will have, behind all that is committed. Raises KafkaError, OSError."""
    consumer = AIOKafkaConsumer(**aiokafka_options(settings), isolation_level="read_committed")
    try:
        await consumer.start()
        ends = await consumer.end_offsets([AsyncTopicPartition(*place) for place in places])
        return {(place.topic, place.partition): offset for place, offset in ends.items()}
    finally:
        with suppress(Exception):
            await consumer.stop()


async def tail(settings: Settings, starts: Mapping[Place, int]) -> AsyncGenerator[Batch]:
    """From these offsets on, each record once and in its partition's order, over outages and without end."""
    loop = asyncio.get_running_loop()
    following = dict(starts)
    while True:
        consumer = Consumer(
            consumer_config(settings, "tally.tail")
            | {"enable.partition.eof": True, "queued.max.messages.kbytes": 16_384, "log_level": 0}
        )
        thread = ThreadPoolExecutor(1, thread_name_prefix="tail")
        try:
            consumer.assign([TopicPartition(*place, offset) for place, offset in following.items()])
            rested_at = 0.0
            while True:
                await asyncio.sleep(max(0.0, rested_at - loop.time()))
                rested_at = loop.time() + REST_S
                messages = await loop.run_in_executor(thread, _arrived, consumer)
                batch = _sorted(messages, following)
                if batch.records or batch.ends:
                    yield batch
                _require_no_error(messages)
        except KafkaException as error:
            log.warning("topics not read, trying again", error=str(error))
        finally:
            # Whoever stops reading does not wait for a poll to end.
            thread.submit(consumer.close)
            thread.shutdown(wait=False)
        await asyncio.sleep(RETRY_S)


def _arrived(consumer: Consumer) -> list[Message]:
    first = consumer.poll(POLL_S)
    return [] if first is None else [first, *consumer.consume(BATCH - 1, 0)]


def _sorted(messages: list[Message], following: dict[Place, int]) -> Batch:
    """Notes in `following` how far each place is read."""
    batch = Batch([], [])
    for message in messages:
        place, offset, error = (message.topic() or "", message.partition() or 0), message.offset() or 0, message.error()
        if error is None:
            if offset >= following[place]:
                key, value = record_bytes(message.key()).decode(errors="replace"), record_bytes(message.value())
                batch.records.append(Record(*place, offset, key, value, message.timestamp()[1]))
                following[place] = offset + 1
        elif error.code() == KafkaError._PARTITION_EOF:
            batch.ends.append((place, offset))
            following[place] = max(following[place], offset)
    return batch


def _require_no_error(messages: list[Message]) -> None:
    """Raises KafkaException."""
    for message in messages:
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)

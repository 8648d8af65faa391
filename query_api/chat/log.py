"""Chat's way to Kafka: committed records of one partition, as far as they go or without end.

A consumer a partition: aiokafka has one fetch in flight per consumer and broker, and a partition that was just drained
is not part of it. With one consumer for several, a record may wait for as long as a fetch waits on an idle broker.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from query_api.chat.decoder import Decoder
from query_api.chat.rooms import Record
from topology.kafka import aiokafka_options
from topology.settings import Settings

RETRY_S = 0.5
BATCH = 500
POLL_MS = 1_000
FETCH_MAX_WAIT_MS = 1_000
"""Longest that a fetch waits on an idle partition. What is appended comes at once; each fetch in vain costs CPU."""

log = structlog.get_logger(__name__)


class Reader(Protocol):
    """Who is told of a topic."""

    def take(self, record: Record) -> None: ...

    def reached(self, topic: str, partition: int, offset: int) -> None:
        """There is nothing more before this offset."""


@asynccontextmanager
async def _consumer(
    settings: Settings, place: TopicPartition, fetch_max_wait_ms: int
) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **aiokafka_options(settings),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=fetch_max_wait_ms,
    )
    try:
        await consumer.start()
        consumer.assign([place])
        yield consumer
    finally:
        with suppress(Exception):
            await consumer.stop()


async def end_of(settings: Settings, topic: str, partition: int) -> int:
    """The offset that the next record will have. Raises KafkaError."""
    place = TopicPartition(topic, partition)
    async with _consumer(settings, place, FETCH_MAX_WAIT_MS) as consumer:
        ends: dict[TopicPartition, int] = await consumer.end_offsets([place])
        return ends[place]


async def read(
    settings: Settings, decoder: Decoder, topic: str, partition: int, start: int, end: int
) -> AsyncIterator[Record]:
    """Records from `start` to before `end`, which must be committed already. Raises KafkaError."""
    if start >= end:
        return
    place = TopicPartition(topic, partition)
    async with _consumer(settings, place, 50) as consumer:
        consumer.seek(place, start)
        while await consumer.position(place) < end:
            for records in (await consumer.getmany(timeout_ms=100, max_records=BATCH)).values():
                for record in records:
                    if record.offset < end:
                        yield await _met(decoder, record)


async def follow(settings: Settings, decoder: Decoder, topic: str, partition: int, start: int, reader: Reader) -> None:
    """Hand every record from `start` on over, once and in order, over outages, until cancelled."""
    place = TopicPartition(topic, partition)
    while True:
        try:
            async with _consumer(settings, place, FETCH_MAX_WAIT_MS) as consumer:
                consumer.seek(place, start)
                while True:
                    for records in (await consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH)).values():
                        for record in records:
                            if record.offset >= start:
                                reader.take(await _met(decoder, record))
                                start = record.offset + 1
                    start = max(start, await consumer.position(place))
                    reader.reached(topic, partition, start)
        except Exception:
            log.exception("topic not read, trying again", topic=topic, partition=partition)
        await asyncio.sleep(RETRY_S)


async def _met(decoder: Decoder, record: ConsumerRecord[bytes, bytes]) -> Record:
    value = record.value or b""
    if not decoder.met(value):
        await decoder.meet(value)
    key = (record.key or b"").decode(errors="replace")
    return Record(record.topic, record.partition, record.offset, key, value, record.timestamp)

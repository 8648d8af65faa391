"""Chat's way to Kafka: committed records, a span of one partition or all that come from now on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryError

from query_api.chat.decoder import Decoder
from schemas.sealing import KeysUnavailable
from topology.kafka import aiokafka_options
from topology.settings import Settings
from topology.tail import Place, Record, ends_of, tail

RETRY_S = 0.5
BATCH = 500
FETCH_MAX_WAIT_MS = 50
"""Longest that a fetch waits for what is no record: the marks of transactions."""

log = structlog.get_logger(__name__)


class Reader(Protocol):
    """Who is told of a topic."""

    def take(self, record: Record) -> None: ...

    def reached(self, topic: str, partition: int, offset: int) -> None:
        """There is nothing more before this offset."""


@asynccontextmanager
async def _consumer(settings: Settings, place: TopicPartition) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **aiokafka_options(settings),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
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
    return (await ends_of(settings, [(topic, partition)]))[topic, partition]


async def read(
    settings: Settings, decoder: Decoder, topic: str, partition: int, start: int, end: int
) -> AsyncIterator[Record]:
    """Records from `start` to before `end`, which must be committed already. Raises KafkaError."""
    if start >= end:
        return
    place = TopicPartition(topic, partition)
    async with _consumer(settings, place) as consumer:
        consumer.seek(place, start)
        while await consumer.position(place) < end:
            for records in (await consumer.getmany(timeout_ms=100, max_records=BATCH)).values():
                for record in records:
                    if record.offset < end:
                        yield await _met(decoder, record)


async def follow(
    settings: Settings, decoder: Decoder, starts: Mapping[Place, int], readers: Mapping[str, Reader]
) -> None:
    """Hand every record from these offsets on to its topic's reader, once and in order, over outages, without end."""
    async with aclosing(tail(settings, starts)) as batches:
        async for batch in batches:
            for record in batch.records:
                await _handed(decoder, record, readers[record.topic])
            for (topic, partition), offset in batch.ends:
                readers[topic].reached(topic, partition, offset)


async def _handed(decoder: Decoder, record: Record, reader: Reader) -> None:
    while True:
        try:
            if not decoder.met(record.value):
                await decoder.meet(record.value)
            reader.take(record)
        except (SchemaRegistryError, KeysUnavailable, OSError):
            log.exception("record not read, trying again", topic=record.topic, partition=record.partition)
        except Exception:  # one record must not keep everybody from all that follow
            log.exception("record passed over", topic=record.topic, partition=record.partition, offset=record.offset)
            return
        else:
            return
        await asyncio.sleep(RETRY_S)


async def _met(decoder: Decoder, record: ConsumerRecord[bytes, bytes]) -> Record:
    value = record.value or b""
    if not decoder.met(value):
        await decoder.meet(value)
    key = (record.key or b"").decode(errors="replace")
    return Record(record.topic, record.partition, record.offset, key, value, record.timestamp)

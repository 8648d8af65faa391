"""Reads the results topics from now on, through broker restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, suppress

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from confluent_kafka.schema_registry import SchemaRegistryError

from schemas.wire import Codec, Decoded, WireError
from topology.kafka import aiokafka_options
from topology.settings import Settings
from topology.tail import Place, tail
from topology.topics import PARTITIONS

RETRY_S = 0.5

log = structlog.get_logger()


class ResultsReader:
    """Committed results only. `start` fixes the place to read from: nothing appended after it is missed."""

    def __init__(self, settings: Settings, codec: Codec, topics: Iterable[str]) -> None:
        self._settings = settings
        self._codec = codec
        self._partitions = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
        self._starts: dict[Place, int] = {}

    async def start(self) -> None:
        """Waits for Kafka as long as it takes."""
        while not self._starts:
            consumer = AIOKafkaConsumer(**aiokafka_options(self._settings), isolation_level="read_committed")
            try:
                await consumer.start()
                ends = await consumer.end_offsets(self._partitions)
                self._starts = {(place.topic, place.partition): offset for place, offset in ends.items()}
            except (KafkaError, OSError) as error:
                log.warning("results not readable yet", error=repr(error))
                await asyncio.sleep(RETRY_S)
            finally:
                with suppress(KafkaError, OSError):
                    await consumer.stop()

    async def results(self, wanted: Callable[[str], bool]) -> AsyncIterator[Decoded]:
        """The results of the commands whose ids are wanted, from the place that `start` fixed, without end.

        Most are of commands that others submitted: those are not even decoded.
        """
        async with aclosing(tail(self._settings, self._starts)) as batches:
            async for batch in batches:
                for record in batch.records:
                    if wanted(record.key):
                        with suppress(WireError):  # not ours: nobody waits for it
                            yield await self._decoded(record.value)

    async def _decoded(self, value: bytes) -> Decoded:
        """Raises WireError."""
        while True:
            try:
                return self._codec.decode(value)
            except (SchemaRegistryError, OSError):
                log.exception("a result is not read, trying again")
            await asyncio.sleep(RETRY_S)

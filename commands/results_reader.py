"""Reads the results topics from now on, through broker restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.wire import Codec, Decoded, WireError
from topology.kafka import IDLE_FETCH_MS, aiokafka_options
from topology.settings import Settings
from topology.topics import PARTITIONS

RETRY_S = 0.5

log = structlog.get_logger()


class ResultsReader:
    """Committed results only. `start` fixes the place to read from: nothing appended after it is missed."""

    def __init__(self, settings: Settings, codec: Codec, topics: Iterable[str]) -> None:
        self._settings = settings
        self._codec = codec
        self._partitions = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
        self._positions: dict[TopicPartition, int] = {}
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        """Waits for Kafka as long as it takes."""
        while self._consumer is None:
            consumer = AIOKafkaConsumer(
                **aiokafka_options(self._settings),
                isolation_level="read_committed",
                enable_auto_commit=False,
                fetch_max_wait_ms=IDLE_FETCH_MS,
            )
            try:
                await consumer.start()
                consumer.assign(self._partitions)
                self._positions = self._positions or dict(await consumer.end_offsets(self._partitions))
                for partition, offset in self._positions.items():
                    consumer.seek(partition, offset)
            except (KafkaError, OSError) as error:
                log.warning("results not readable yet", error=repr(error))
                await _stop(consumer)
                await asyncio.sleep(RETRY_S)
            except BaseException:
                await _stop(consumer)
                raise
            else:
                self._consumer = consumer

    async def stop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await _stop(consumer)

    async def results(self, wanted: Callable[[str], bool]) -> AsyncIterator[Decoded]:
        """The results of the commands whose ids are wanted, from the place that `start` fixed, without end.

        Most are of commands that others submitted: those are not even decoded.
        """
        while True:
            await self.start()
            assert self._consumer is not None  # noqa: S101  # what start() is for
            try:
                async for record in self._consumer:
                    if record.key is not None and wanted(record.key.decode(errors="replace")):
                        with suppress(WireError):  # not ours: nobody waits for it
                            yield self._codec.decode(record.value)
                    self._positions[TopicPartition(record.topic, record.partition)] = record.offset + 1
            except Exception:
                log.exception("results not read, trying again")
                await self.stop()
                await asyncio.sleep(RETRY_S)


async def _stop(consumer: AIOKafkaConsumer) -> None:
    with suppress(KafkaError, OSError):
        await consumer.stop()

"""Reads the results topics from now on, through broker restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, suppress

import structlog
from aiokafka.errors import KafkaError
from confluent_kafka.schema_registry import SchemaRegistryError

from schemas.wire import Codec, Decoded, WireError
from topology.settings import Settings
from topology.tail import Place, ends_of, tail
from topology.topics import PARTITIONS

RETRY_S = 0.5

log = structlog.get_logger()


class ResultsReader:
    """Committed results only. `start` fixes the place to read from: nothing appended after it is missed."""

    def __init__(self, settings: Settings, codec: Codec, topics: Iterable[str]) -> None:
        self._settings = settings
        self._codec = codec
        self._places = [(topic, number) for topic in topics for number in range(PARTITIONS)]
        self._starts: dict[Place, int] = {}

    async def start(self) -> None:
        """Waits for Kafka as long as it takes."""
        while not self._starts:
            try:
                self._starts = await ends_of(self._settings, self._places)
            except (KafkaError, OSError) as error:
                log.warning("results not readable yet", error=repr(error))
                await asyncio.sleep(RETRY_S)

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

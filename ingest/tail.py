"""Follows a topic from a place onwards, over outages, without a consumer group."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from ingest.files import replace_file
from schemas.wire import Codec, Decoded, WireError
from topology.kafka import IDLE_FETCH_MS, aiokafka_options
from topology.settings import Settings
from topology.topics import PARTITIONS

RETRY_S = 1.0
WRITE_S = 5.0
"""Between two writes of a place."""
BATCH = 500
POLL_MS = 60_000

_log = structlog.get_logger(__name__)


class Followed(NamedTuple):
    partition: int
    offset: int
    record: Decoded


class Places(Protocol):
    """Where to go on."""

    async def first(self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> dict[int, int]:
        """The offset to begin with on each partition, at the start and after an outage."""

    def keep(self, offsets: Mapping[int, int]) -> None:
        """All before these has been taken."""

    def close(self) -> None:
        """Nothing more is taken."""


class FromNow:
    """What is appended from now on, once each."""

    def __init__(self) -> None:
        self._offsets: dict[int, int] = {}

    async def first(self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> dict[int, int]:
        if not self._offsets:
            ends = await consumer.end_offsets(partitions)
            self._offsets = {partition.partition: offset for partition, offset in ends.items()}
        return dict(self._offsets)

    def keep(self, offsets: Mapping[int, int]) -> None:
        self._offsets = dict(offsets)

    def close(self) -> None:
        return


class OnDisk:
    """Where an earlier process left off, once or more: what a group commits to Kafka is forgotten after a while.

    It is written every `WRITE_S` at most, and at the end: a process that is killed takes what came since again.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._path = path
        self._clock = clock
        self._offsets: dict[int, int] = {}
        self._written: dict[int, int] = {}
        self._written_at_s = -math.inf

    async def first(self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> dict[int, int]:
        kept = self._offsets or self._read()
        return {partition.partition: kept.get(partition.partition, 0) for partition in partitions}

    def keep(self, offsets: Mapping[int, int]) -> None:
        """Raises OSError when the place cannot be written; it is tried again with the next."""
        self._offsets = dict(offsets)
        if self._clock() - self._written_at_s >= WRITE_S:
            self.close()

    def close(self) -> None:
        if self._offsets == self._written:
            return
        replace_file(self._path, orjson.dumps({str(number): offset for number, offset in self._offsets.items()}))
        self._written, self._written_at_s = dict(self._offsets), self._clock()

    def _read(self) -> dict[int, int]:
        try:
            return {int(number): offset for number, offset in orjson.loads(self._path.read_bytes()).items()}
        except FileNotFoundError:
            return {}


class Tail:
    """An async context manager: inside it, `take` is called for every record of the topic in its partition's order."""

    def __init__(
        self, settings: Settings, codec: Codec, topic: str, places: Places, take: Callable[[Followed], None]
    ) -> None:
        self._settings = settings
        self._codec = codec
        self._topic = topic
        self._places = places
        self._take = take
        self._following = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        await self._following.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            try:
                self._places.close()
            except OSError as error:
                _log.warning("the place was not written: some records are taken again", error=str(error))

    async def _run(self) -> None:
        while True:
            consumer = AIOKafkaConsumer(
                **aiokafka_options(self._settings),
                isolation_level="read_committed",
                enable_auto_commit=False,
                fetch_max_wait_ms=IDLE_FETCH_MS,
            )
            try:
                await consumer.start()
                await self._follow(consumer)
            except Exception:
                _log.exception("topic not read, trying again", topic=self._topic)
            finally:
                with suppress(Exception):
                    await consumer.stop()
            await asyncio.sleep(RETRY_S)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        partitions = [TopicPartition(self._topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        offsets = await self._places.first(consumer, partitions)
        for partition in partitions:
            consumer.seek(partition, offsets[partition.partition])
        self._following.set()
        while True:
            for partition, records in (await consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH)).items():
                for record in records:
                    await self._decode(partition.partition, record.offset, record.value or b"")
                offsets[partition.partition] = records[-1].offset + 1
                self._places.keep(offsets)

    async def _decode(self, partition: int, offset: int, value: bytes) -> None:
        try:
            # The codec may ask the registry for a schema it has not met.
            decoded = await asyncio.to_thread(self._codec.decode, value)
        except WireError as error:
            _log.warning("record skipped", topic=self._topic, offset=offset, error=str(error))
            return
        self._take(Followed(partition, offset, decoded))

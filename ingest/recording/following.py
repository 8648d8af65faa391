"""Reads the `streams` topic from where this node left off, and turns what concerns it into errands."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from ingest.recording.errands import Errand, Errands
from schemas.events.recordings import ClipCreated, ClipDeleted, RecordingDeleted, RecordingPublished
from schemas.wire import Codec, WireError
from topology.kafka import aiokafka_options
from topology.settings import Settings
from topology.topics import PARTITIONS

RETRY_S = 1.0
BATCH = 500
POLL_MS = 1_000

_TYPES = frozenset(event.__name__ for event in (RecordingPublished, RecordingDeleted, ClipCreated, ClipDeleted))

_log = structlog.get_logger(__name__)


class Following:
    """An async context manager: inside it, every event for this node becomes an errand, once or more.

    The place on the topic lies in a file beside the errands: what a group commits to Kafka is forgotten after a while
    without commits.
    """

    def __init__(self, settings: Settings, codec: Codec, errands: Errands, place: Path) -> None:
        self._settings = settings
        self._codec = codec
        self._errands = errands
        self._place = place
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            consumer = AIOKafkaConsumer(
                **aiokafka_options(self._settings), isolation_level="read_committed", enable_auto_commit=False
            )
            try:
                await consumer.start()
                await self._follow(consumer)
            except Exception:
                _log.exception("recordings' events not read, trying again")
            finally:
                with suppress(Exception):
                    await consumer.stop()
            await asyncio.sleep(RETRY_S)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        partitions = [TopicPartition(ClipCreated.topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        offsets = self._read_place()
        for partition in partitions:
            consumer.seek(partition, offsets.get(partition.partition, 0))
        while True:
            for partition, records in (await consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH)).items():
                for record in records:
                    await self._take(record)
                offsets[partition.partition] = records[-1].offset + 1
                self._write_place(offsets)

    async def _take(self, record: ConsumerRecord[Any, Any]) -> None:
        try:
            # The codec may ask the registry for a schema it has not met.
            decoded = await asyncio.to_thread(self._codec.decode, record.value)
        except WireError as error:
            _log.warning("record skipped", topic=record.topic, offset=record.offset, error=str(error))
            return
        fields = decoded.fields
        if decoded.type not in _TYPES or fields["node"] != self._settings.node:
            return
        known = {name: fields[name] for name in Errand.model_fields if name in fields}
        self._errands.add(Errand(name=f"{record.partition}-{record.offset:020d}", **known))

    def _read_place(self) -> dict[int, int]:
        try:
            return {int(number): offset for number, offset in orjson.loads(self._place.read_bytes()).items()}
        except FileNotFoundError:
            return {}

    def _write_place(self, offsets: dict[int, int]) -> None:
        fresh = self._place.with_suffix(".new")
        fresh.write_bytes(orjson.dumps({str(number): offset for number, offset in offsets.items()}))
        fresh.replace(self._place)

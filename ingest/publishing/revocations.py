"""Learns from the `accounts` topic that a stream key stopped working while it publishes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.events.accounts import StreamKeyRevoked
from schemas.wire import Codec, WireError
from topology.kafka import aiokafka_options
from topology.settings import Settings
from topology.topics import PARTITIONS

RETRY_S = 1.0

_log = structlog.get_logger(__name__)


class Revocations:
    """An async context manager: inside it, `revoked(key_id)` is called for every revocation from now on."""

    def __init__(self, settings: Settings, codec: Codec, revoked: Callable[[str], None]) -> None:
        self._settings = settings
        self._codec = codec
        self._revoked = revoked
        self._positions: dict[TopicPartition, int] = {}
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

    async def _run(self) -> None:
        while True:
            consumer = AIOKafkaConsumer(
                **aiokafka_options(self._settings), isolation_level="read_committed", enable_auto_commit=False
            )
            try:
                await consumer.start()
                await self._follow(consumer)
            except Exception:
                _log.exception("revocations not read, trying again")
            finally:
                with suppress(Exception):
                    await consumer.stop()
            await asyncio.sleep(RETRY_S)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        partitions = [TopicPartition(StreamKeyRevoked.topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        if not self._positions:
            self._positions = dict(await consumer.end_offsets(partitions))
        for partition, offset in self._positions.items():
            consumer.seek(partition, offset)
        self._following.set()
        async for record in consumer:
            self._positions[TopicPartition(record.topic, record.partition)] = record.offset + 1
            try:
                # The codec may ask the registry for a schema it has not met.
                decoded = await asyncio.to_thread(self._codec.decode, record.value)
            except WireError as error:
                _log.warning("record skipped", topic=record.topic, offset=record.offset, error=str(error))
                continue
            if decoded.type == StreamKeyRevoked.__name__:
                self._revoked(decoded.fields["key_id"])

"""One producer of events, kept running: replaced when it fails, started when Kafka comes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.message import Event
from schemas.wire import Codec
from topology.kafka import aiokafka_options
from topology.settings import Settings

RETRY_S = 1.0
STOP_S = 5.0

_log = structlog.get_logger(__name__)


class NotAppended(Exception):
    """It is not known that the brokers have the event. Sending it again is harmless: readers drop an id they have."""


class EventProducer:
    """An async context manager; entering it does not wait for Kafka."""

    def __init__(self, settings: Settings, codec: Codec, what: str, linger_ms: int) -> None:
        """`what` names the events in the log."""
        self._settings = settings
        self._codec = codec
        self._what = what
        self._linger_ms = linger_ms
        self._producer: AIOKafkaProducer | None = None
        self._up = asyncio.Event()
        self._broken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def up(self) -> None:
        """Returns once events can be sent."""
        await self._up.wait()

    async def append(self, event: Event) -> None:
        """Returns once the brokers have it. Raises NotAppended."""
        producer = self._producer
        if producer is None:
            raise NotAppended("Kafka cannot be reached")
        value = self._codec.encode(event)
        try:
            await producer.send_and_wait(event.topic, value, event.key.encode())
        except (KafkaError, OSError) as error:
            # A batch that was given up leaves a gap that an idempotent producer never closes.
            if producer is self._producer:
                self._broken.set()
            raise NotAppended(repr(error)) from error

    async def reachable(self, timeout_s: float) -> bool:
        """Whether a broker answers now."""
        producer = self._producer
        if producer is None:
            return False
        try:
            async with asyncio.timeout(timeout_s):
                return bool(await producer.client.force_metadata_update())
        except (KafkaError, OSError):
            return False

    async def _run(self) -> None:
        while True:
            producer = AIOKafkaProducer(
                **aiokafka_options(self._settings), enable_idempotence=True, acks="all", linger_ms=self._linger_ms
            )
            try:
                await asyncio.to_thread(self._codec.register_all)
                await producer.start()
                self._producer = producer
                self._broken.clear()
                self._up.set()
                await self._broken.wait()
            except Exception as error:
                _log.warning(f"{self._what} cannot be sent yet", error=repr(error))
                await asyncio.sleep(RETRY_S)
            finally:
                self._producer = None
                self._up.clear()
                with suppress(Exception):  # a broker that is away would keep it waiting
                    await asyncio.wait_for(producer.stop(), STOP_S)

"""Health events on their way to Kafka. Losing Kafka for a while costs the oldest samples, never the video."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from itertools import islice
from types import TracebackType
from typing import Self

import structlog
from aiokafka import AIOKafkaProducer

from ingest.media.became import HealthReport
from ingest.publishing.health_events import event_of
from ingest.publishing.journal import Entry
from schemas.events.stream_health import StreamHealthEvent
from schemas.wire import Codec
from topology.kafka import aiokafka_options
from topology.settings import Settings

MAX_WAITING = 20_000
"""Events: over half an hour of a hundred streams."""

BATCH = 200
RETRY_S = 1.0
FLUSH_S = 3.0

_log = structlog.get_logger(__name__)


class HealthReports:
    """An async context manager. `report` never waits and never fails.

    A batch whose outcome is unsure is sent again: the events keep their ids, and readers drop what they have.
    """

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self._settings = settings
        self._codec = codec
        self._waiting: deque[StreamHealthEvent] = deque()
        self._dropped = 0
        self._arrived = asyncio.Event()
        self._empty = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is None:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self.drained(), FLUSH_S)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def report(self, entry: Entry, became: HealthReport) -> None:
        self._put(event_of(entry, became))

    async def drained(self) -> None:
        """Returns when Kafka has everything so far."""
        if self._waiting:
            self._empty.clear()
            await self._empty.wait()

    def _put(self, event: StreamHealthEvent) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self._dropped += 1
        self._waiting.append(event)
        self._arrived.set()

    async def _run(self) -> None:
        while True:
            producer = AIOKafkaProducer(**aiokafka_options(self._settings), enable_idempotence=True, acks="all")
            try:
                await producer.start()
                while True:
                    await self._send(producer)
            except Exception:
                _log.exception("health events not sent, trying again", waiting=len(self._waiting))
            finally:
                with suppress(Exception):  # a broker that is away would keep it waiting
                    await asyncio.wait_for(producer.stop(), FLUSH_S)
            await asyncio.sleep(RETRY_S)

    async def _send(self, producer: AIOKafkaProducer) -> None:
        if not self._waiting:
            self._empty.set()
            await self._arrived.wait()
        self._arrived.clear()
        batch = list(islice(self._waiting, BATCH))
        before = self._dropped
        sent = await asyncio.gather(
            *(
                producer.send_and_wait(event.topic, key=event.key.encode(), value=self._codec.encode(event))
                for event in batch
            ),
            return_exceptions=True,
        )
        for outcome in sent:
            if isinstance(outcome, BaseException):
                raise outcome
        # What was dropped meanwhile came from the batch's own front.
        for _ in range(len(batch) - (self._dropped - before)):
            self._waiting.popleft()
        if self._dropped:
            _log.warning("health events dropped", count=self._dropped)
            self._dropped = 0

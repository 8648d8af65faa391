"""Playback events on their way to Kafka. Losing Kafka for a while costs the oldest events, never the video."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import islice

import structlog
from aiokafka import AIOKafkaProducer

from schemas.events.playback import PlaybackEvent
from schemas.wire import Codec
from topology.kafka import aiokafka_options
from topology.settings import Settings

MAX_WAITING = 50_000
"""Events: five heartbeats of ten thousand viewers."""

BATCH = 500
RETRY_S = 1.0
FLUSH_S = 3.0

_log = structlog.get_logger(__name__)


class Appends:
    """`put` never waits and never fails. A batch whose outcome is unsure is sent again with the same ids."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self._settings = settings
        self._codec = codec
        self._waiting: deque[PlaybackEvent] = deque()
        self._dropped = 0
        self._arrived = asyncio.Event()
        self._empty = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Append while inside; what waits at the end is given a moment."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.drained(), FLUSH_S)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def put(self, event: PlaybackEvent) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self._dropped += 1
        self._waiting.append(event)
        self._arrived.set()

    async def drained(self) -> None:
        """Returns when Kafka has everything so far."""
        if self._waiting:
            self._empty.clear()
            await self._empty.wait()

    async def _run(self) -> None:
        while True:
            producer = AIOKafkaProducer(
                **aiokafka_options(self._settings), enable_idempotence=True, acks="all", linger_ms=20
            )
            try:
                await producer.start()
                while True:
                    await self._send(producer)
            except Exception:
                _log.exception("playback events not sent, trying again", waiting=len(self._waiting))
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
        for _ in range(max(0, len(batch) - (self._dropped - before))):
            self._waiting.popleft()
        if self._dropped:
            _log.warning("playback events dropped", count=self._dropped)
            self._dropped = 0

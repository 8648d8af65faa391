"""Events on their way to Kafka that nothing waits for. Losing Kafka for a while costs the oldest, never the video."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from itertools import islice
from types import TracebackType
from typing import Self

import structlog

from schemas.message import Event
from schemas.wire import Codec
from topology.event_producer import EventProducer
from topology.settings import Settings

BATCH = 500
GATHER_S = 0.5
"""How long the first event of a batch waits for others: a request to Kafka costs more than the events in it."""
RETRY_S = 1.0
FLUSH_S = 3.0

_log = structlog.get_logger(__name__)


class Appends:
    """An async context manager. `put` never waits and never fails.

    A batch whose outcome is unsure is sent again: the events keep their ids, and readers drop what they have.
    """

    def __init__(self, settings: Settings, codec: Codec, what: str, most: int) -> None:
        """`what` names the events in the log; `most` of them may wait."""
        self._producer = EventProducer(settings, codec, what, linger_ms=0)
        self._what = what
        self._most = most
        self._waiting: deque[Event] = deque()
        self._dropped = 0
        self._arrived = asyncio.Event()
        self._empty = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._producer.__aenter__()
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
        await self._producer.__aexit__(kind, error, trace)

    def put(self, event: Event) -> None:
        if len(self._waiting) >= self._most:
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
            try:
                await self._producer.up()
                await self._send()
            except Exception:
                _log.exception(f"{self._what} not sent, trying again", waiting=len(self._waiting))
                await asyncio.sleep(RETRY_S)

    async def _send(self) -> None:
        if not self._waiting:
            self._empty.set()
            await self._arrived.wait()
        if len(self._waiting) < BATCH:
            await asyncio.sleep(GATHER_S)
        self._arrived.clear()
        batch = list(islice(self._waiting, BATCH))
        before = self._dropped
        sent = await asyncio.gather(*(self._producer.append(event) for event in batch), return_exceptions=True)
        for outcome in sent:
            if isinstance(outcome, BaseException):
                raise outcome
        # What was dropped meanwhile came from the batch's own front.
        for _ in range(len(batch) - (self._dropped - before)):
            self._waiting.popleft()
        if self._dropped:
            _log.warning(f"{self._what} dropped", count=self._dropped)
            self._dropped = 0

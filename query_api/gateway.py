"""The way to the deciders: commands go out, and what became of them comes back in HTTP's terms."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from commands.client import Accepted, CommandClient, OutcomeUnknown, Rejected
from query_api.errors import ApiError, unavailable
from query_api.rejections import REJECTIONS
from schemas.message import Command
from schemas.wire import Codec
from topology.settings import Settings

RETRY_S = 1.0

log = structlog.get_logger(__name__)


class Gateway:
    """Keeps one command client running. While Kafka is away, `submit` raises ApiError 503."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self._settings, self._codec = settings, codec
        self._client: CommandClient | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._codec.register_all)
                async with CommandClient(self._settings, self._codec) as self._client:
                    await asyncio.Event().wait()
            except Exception as error:
                log.warning("commands cannot be sent yet", error=repr(error))
                await asyncio.sleep(RETRY_S)
            finally:
                self._client = None

    async def submit(self, command: Command) -> Accepted:
        """The accepted command. Raises ApiError."""
        if self._client is None:
            raise unavailable("Commands cannot be taken right now. Retry with the same Idempotency-Key.")
        try:
            return await self._client.submit(command)
        except Rejected as rejected:
            raise _refusal(rejected) from rejected
        except OutcomeUnknown as unknown:
            raise unavailable(
                "It is not known yet whether this was done. Retry with the same Idempotency-Key: it is done once."
            ) from unknown


def _refusal(rejected: Rejected) -> ApiError:
    seconds = math.ceil(rejected.retry_after_ms / 1000)
    headers = {"Retry-After": str(seconds)} if seconds else {}
    return ApiError(REJECTIONS.get(rejected.code, 409), rejected.message, rejected.code, headers)

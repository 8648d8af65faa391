"""The way to the deciders: commands go out, and what became of them comes back in HTTP's terms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from commands.client import Accepted, CommandClient, OutcomeUnknown, Rejected
from query_api.errors import ApiError, unavailable
from schemas.message import Command
from schemas.wire import Codec
from topology.settings import Settings

RETRY_S = 1.0

log = structlog.get_logger(__name__)

REJECTIONS = {
    "login_taken": 409,
    "login_invalid": 400,
    "display_name_invalid": 400,
    "bad_credentials": 401,
    "unknown_channel": 404,
    "unknown_user": 404,
    "unknown_stream_key": 404,
    "unknown_session": 404,
    "unknown_video": 404,
    "unknown_clip": 404,
    "not_following": 404,
    "not_live": 404,
    "cannot_follow_self": 400,
    "title_too_long": 400,
    "category_too_long": 400,
    "language_invalid": 400,
    "playback_policy_invalid": 400,
    "msg_too_long": 422,
    "msg_rejected": 422,
    "bad_amount": 400,
    "bad_currency": 400,
    "bad_duration": 400,
    "bad_offset": 400,
    "unauthorised": 403,
    "private": 403,
    "subscribers": 403,
    "command_too_large": 413,
    "internal_error": 500,
    "overloaded": 503,
}
"""The HTTP status of each rejection; a code that is not here is the request's conflict with the state, 409."""


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
            raise ApiError(REJECTIONS.get(rejected.code, 409), rejected.message, rejected.code) from rejected
        except OutcomeUnknown as unknown:
            raise unavailable(
                "It is not known yet whether this was done. Retry with the same Idempotency-Key: it is done once."
            ) from unknown

"""The viewers of this origin: what players say goes in, playback events go to Kafka."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from cachetools import TTLCache

from ingest.appends import Appends
from ingest.cmcd.events import event_of
from ingest.cmcd.parse import Cmcd
from ingest.cmcd.sessions import Limits, Observation, Sessions
from schemas.wire import Codec
from topology.settings import Settings

STREAMS = 10_000
REMEMBERED_S = 60.0
"""How long a stream's channel is not asked for again. Players learn of a stream's end a little later than we do."""

SWEEP_S = 1.0
MAX_WAITING = 50_000
"""Events: five heartbeats of ten thousand viewers."""


class Viewers:
    """`channel_of` knows the channel of a stream that is on air, and "" for any other."""

    def __init__(self, settings: Settings, codec: Codec, channel_of: Callable[[str], str]) -> None:
        self._sessions = Sessions(limits_of(settings))
        self._appends = Appends(settings, codec, "playback events", MAX_WAITING)
        self._channel_of = channel_of
        self._channels: TTLCache[str, str] = TTLCache(STREAMS, REMEMBERED_S)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Append events while inside."""
        async with self._appends:
            sweeping = asyncio.create_task(self._sweep())
            try:
                yield
            finally:
                sweeping.cancel()
                with suppress(asyncio.CancelledError):
                    await sweeping

    def observe(self, stream_id: str, cmcd: Cmcd, status: int = 200) -> bool:
        """Take what a player said; False when the stream is not on air here."""
        channel_id = self._channels.get(stream_id) or self._channel_of(stream_id)
        if not channel_id:
            return False
        self._channels.setdefault(stream_id, channel_id)
        for fact in self._sessions.observe(Observation(_now_ms(), stream_id, channel_id, cmcd, status)):
            self._appends.put(event_of(fact, "cmcd"))
        return True

    async def drained(self) -> None:
        """Returns when Kafka has every event so far."""
        await self._appends.drained()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            for fact in self._sessions.expire(_now_ms()):
                self._appends.put(event_of(fact, "cmcd"))


def limits_of(settings: Settings) -> Limits:
    return Limits(
        heartbeat_ms=round(settings.viewer_heartbeat_s * 1000),
        silence_ms=round(settings.viewer_silence_s * 1000),
        sessions=settings.viewer_sessions,
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

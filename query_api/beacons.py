"""What players report, appended to the playback topic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from cachetools import TTLCache

from query_api.database import Database
from query_api.errors import ApiError, unavailable
from schemas.events.playback import PlaybackEvent
from schemas.wire import Codec
from topology.event_producer import EventProducer, NotAppended
from topology.settings import Settings

ACK_S = 5.0
LINGER_MS = 5
LIVE_CACHE_S = 2.0

# Players learn of the end a little later than we do: what they report until then is taken.
_SQL = """
SELECT channel_id FROM streams
WHERE stream_id = $1 AND (status IN ('live', 'disconnected') OR ended_at > now() - interval '60 s')
"""

log = structlog.get_logger(__name__)


class Beacons:
    """Runs one producer, which is there when Kafka is."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self._producer = EventProducer(settings, codec, "playback events", LINGER_MS)
        self._channels: TTLCache[str, str] = TTLCache(10_000, LIVE_CACHE_S)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self._producer:
            yield

    async def channel_of(self, database: Database, stream_id: str) -> str:
        """The channel of a live stream. Raises ApiError 404 for a stream that is not live."""
        channel_id = self._channels.get(stream_id)
        if channel_id is None:
            row = await database.row(_SQL, stream_id)
            if row is None:
                raise ApiError(404, "This stream is not live.")
            channel_id = self._channels[stream_id] = row["channel_id"]
        return channel_id

    async def append(self, event: PlaybackEvent) -> None:
        """Returns once the brokers have it. Raises ApiError 503."""
        try:
            async with asyncio.timeout(ACK_S):
                await self._producer.append(event)
        except (NotAppended, TimeoutError) as error:
            log.warning("playback event not appended", error=repr(error))
            raise unavailable("The playback report could not be stored. Send it again.") from error

    async def reachable(self, timeout_s: float) -> bool:
        """Whether a broker answers now."""
        return await self._producer.reachable(timeout_s)

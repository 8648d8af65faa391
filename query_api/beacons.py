"""What players report, appended to the playback topic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from cachetools import TTLCache

from query_api.database import Database
from query_api.errors import ApiError, unavailable
from schemas.events.playback import PlaybackEvent
from schemas.wire import Codec
from topology.kafka import aiokafka_options
from topology.settings import Settings

RETRY_S = 1.0
ACK_S = 5.0
LIVE_CACHE_S = 2.0

# Players learn of the end a little later than we do: what they report until then is taken.
_SQL = """
SELECT channel_id FROM streams
WHERE stream_id = $1 AND (status IN ('live', 'disconnected') OR ended_at > now() - interval '60 s')
"""

log = structlog.get_logger(__name__)


class Beacons:
    """Keeps one producer running and replaces it when it fails for good."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self._settings, self._codec = settings, codec
        self._producer: AIOKafkaProducer | None = None
        self._broken = asyncio.Event()
        self._channels: TTLCache[str, str] = TTLCache(10_000, LIVE_CACHE_S)

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
            producer = AIOKafkaProducer(
                enable_idempotence=True, acks="all", linger_ms=5, **aiokafka_options(self._settings)
            )
            try:
                await asyncio.to_thread(self._codec.register_all)
                await producer.start()
                self._producer = producer
                self._broken.clear()
                await self._broken.wait()
            except Exception as error:
                log.warning("playback events cannot be sent yet", error=repr(error))
                await asyncio.sleep(RETRY_S)
            finally:
                self._producer = None
                with suppress(KafkaError, OSError, TimeoutError):
                    await asyncio.wait_for(producer.stop(), ACK_S)

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
        producer = self._producer
        if producer is None:
            raise unavailable("Playback reports cannot be taken right now.")
        try:
            value = self._codec.encode(event)
            async with asyncio.timeout(ACK_S):
                await producer.send_and_wait(event.topic, value, event.key.encode())
        except (KafkaError, OSError) as error:
            if isinstance(error, KafkaError):
                self._broken.set()  # a batch that was given up leaves a gap that an idempotent producer never closes
            log.warning("playback event not appended", error=repr(error))
            raise unavailable("The playback report could not be stored. Send it again.") from error

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

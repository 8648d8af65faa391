"""Everything about recordings that an ingest process runs, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from starlette.routing import Route

from ingest.publishing.journal import Entry
from ingest.publishing.outbox import Submitter
from ingest.recording import shipping
from ingest.recording.clips import Clips, Wanted
from ingest.recording.errands import Errand, Errands
from ingest.recording.following import Following
from ingest.recording.recorder import Recorder, RecordingSink, Unrecorded
from ingest.recording.recording import Allowance, Tools
from ingest.recording.serving import vod_routes
from ingest.recording.shelf import Published, PublishedShelf
from ingest.recording.sweeper import sweep_forever
from ingest.storage.contract import Store
from ingest.storage.opening import opened_store
from ingest.thumbnails.printing import Printing
from schemas.wire import Codec
from topology.settings import Settings

MEMORY = 128_000_000
"""Bytes of segments that may wait for the spool's disk."""
UPLOADS = 32
"""Segments on their way to the store at a time, of all recordings."""
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Recordings:
    """What the rest of the process uses: a sink a stream, and the routes that play recordings."""

    recorder: Recorder
    store: Store
    on: bool

    def routes(self, printing: Printing) -> list[Route]:
        """What plays and shows recordings."""
        return vod_routes(self.store, printing)

    def sink(self, entry: Entry) -> RecordingSink:
        """Where a stream's segments go."""
        if not self.on:
            return Unrecorded(failed=False)
        return self.recorder.open(entry.stream_id, entry.channel_id, entry.playback_policy)


class Steward:
    """Does what events ask for."""

    def __init__(self, store: Store, clips: Clips, shelf: PublishedShelf) -> None:
        self._store = store
        self._clips = clips
        self._shelf = shelf

    async def do(self, errand: Errand) -> None:
        """Raises StoreAway. Doing it again is harmless."""
        match errand.type:
            case "RecordingPublished":
                published = Published(
                    stream_id=errand.stream_id, channel_id=errand.channel_id, published_at=errand.occurred_at
                )
                self._shelf.add(published)
            case "RecordingDeleted":
                await shipping.delete_all(self._store, errand.stream_id)
                self._shelf.remove(errand.stream_id)
            case "ClipCreated":
                await self._clips.make(_wanted(errand))
            case "ClipDeleted":
                await shipping.delete_all(self._store, errand.clip_id)


@asynccontextmanager
async def running_recordings(settings: Settings, codec: Codec, submitter: Submitter) -> AsyncIterator[Recordings]:
    """Inside it streams can be recorded. What was recorded before is seen to even when recording is off."""
    directory = settings.data_dir / "recorder"
    async with opened_store(settings) as store:
        spooled = Allowance(settings.recordings_spool_mb * _MB)
        tools = Tools(store, submitter, settings.node, Allowance(MEMORY), spooled, asyncio.Semaphore(UPLOADS))
        recorder = Recorder(directory / "spool", tools, settings.resume_grace_s)
        shelf = PublishedShelf(directory / "published")
        errands = Errands(directory / "errands", Steward(store, Clips(store, recorder, submitter), shelf).do)
        recorder.recover()
        errands.recover()
        sweeping = asyncio.create_task(_sweep(settings, shelf, submitter))
        async with Following(settings, codec, errands, directory / "place.json"):
            try:
                yield Recordings(recorder, store, settings.recordings)
            finally:
                sweeping.cancel()
                await asyncio.gather(sweeping, return_exceptions=True)
                await errands.stop()
                await recorder.stop()


async def _sweep(settings: Settings, shelf: PublishedShelf, submitter: Submitter) -> None:
    if settings.recordings_retention_days:
        await sweep_forever(shelf, submitter, timedelta(days=settings.recordings_retention_days))


def _wanted(errand: Errand) -> Wanted:
    return Wanted(
        errand.clip_id,
        errand.stream_id,
        errand.channel_id,
        errand.duration_ms / 1000,
        errand.occurred_at.timestamp(),
        None if errand.live else errand.vod_offset_ms / 1000,
    )

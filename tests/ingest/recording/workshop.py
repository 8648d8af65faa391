"""A recorder over the real deciders in memory, with the errands that their events give rise to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.routing import Route

from commands.identity import new_id
from ingest.recording.clips import Clips
from ingest.recording.errands import Errand, Errands
from ingest.recording.manifest import Manifest
from ingest.recording.recorder import Recorder
from ingest.recording.recording import Allowance, Recording, Tools
from ingest.recording.service import Steward
from ingest.recording.serving import vod_routes
from ingest.recording.shelf import PublishedShelf
from ingest.storage.contract import Store
from ingest.storage.local import LocalStore
from ingest.thumbnails.printing import Printing
from ingest.thumbnails.prints import Prints
from schemas.commands.recordings import CreateClip
from schemas.events.channels import PUBLIC
from schemas.events.streams import PublishAuthorised, StreamStarted
from schemas.message import Command, Event
from tests.ingest.recording.takes import AUDIO, SOURCE, becomes, comes, data_of, entry
from tests.ingest.rtmp.house import LocalDeciders
from tests.ingest.thumbnails.film import Here

NODE = "node"


@dataclass
class Workshop:
    store: Store
    recorder: Recorder
    deciders: LocalDeciders
    shelf: PublishedShelf
    errands: Errands
    _told: int = field(default=0)

    def open(self, stream: str = "stream", channel: str = "channel", policy: str = PUBLIC) -> Recording:
        sink = self.recorder.open(stream, channel, policy)
        assert isinstance(sink, Recording)
        return sink

    def tell(self) -> None:
        """What happened so far becomes errands, as the follower would have it."""
        for event in self.deciders.events[self._told :]:
            if event.type in ("RecordingPublished", "RecordingDeleted", "ClipCreated", "ClipDeleted"):
                known = {name: value for name, value in event.model_dump().items() if name in Errand.model_fields}
                self.errands.add(Errand(name=f"0-{self._told:020d}", **known))
            self._told += 1

    def happened(self, stream: str = "stream") -> list[str]:
        return self.deciders.happened(stream)

    def event(self, name: str) -> Any:
        return next(event for event in self.deciders.events if event.type == name)

    async def published(self, stream: str = "stream") -> None:
        await becomes(lambda: "RecordingPublished" in self.happened(stream))

    async def manifest(self, owner: str = "stream") -> Manifest:
        found = await comes(lambda: self.store.get(f"{owner}/manifest.json"))
        return Manifest.from_json(found.data)

    async def keys(self, owner: str) -> list[str]:
        return sorted([key async for key in self.store.keys(owner)])

    def go_live(self, stream: str = "stream", channel: str = "channel") -> None:
        facts = {**_envelope(), "stream_id": stream, "channel_id": channel, "session_id": "s", "node": NODE}
        self.deciders.fold(PublishAuthorised(**facts, key_id="k", resumed=False))
        self.deciders.fold(StreamStarted(**facts, playback_path=""))

    async def clip(self, at_s: float, lasting_s: float = 5.0, actor: str = "somebody", **more: Any) -> str:
        """Create a clip at this Unix time and see to it."""
        clip_id = new_id()
        await self.submit(
            CreateClip(
                **_envelope_of_command(at_s, actor),
                channel_id="channel",
                clip_id=clip_id,
                title="",
                duration_ms=round(lasting_s * 1000),
                **more,
            )
        )
        self.tell()
        return clip_id

    async def submit(self, command: Command) -> None:
        await self.deciders.submit(command)


def _envelope() -> dict[str, Any]:
    return {"event_id": new_id(), "occurred_at": datetime.now(UTC), "actor": "system:test", "correlation_id": "test"}


def _envelope_of_command(at_s: float, actor: str) -> dict[str, Any]:
    moment = datetime.fromtimestamp(at_s, UTC)
    return {"command_id": new_id(), "issued_at": moment, "actor": actor, "correlation_id": "test"}


@asynccontextmanager
async def workshop(
    directory: Path,
    store: Store | None = None,
    deciders: LocalDeciders | None = None,
    *,
    disk: int = 10**9,
    memory: int = 10**9,
    grace_s: float = 20.0,
) -> AsyncIterator[Workshop]:
    """Entering it takes up what an earlier one left in the directory; leaving it stops as a process does."""
    store = store or LocalStore(directory / "store")
    deciders = deciders or LocalDeciders(20.0)
    tools = Tools(store, deciders, NODE, Allowance(memory), Allowance(disk), asyncio.Semaphore(8))
    recorder = Recorder(directory / "spool", tools, grace_s)
    shelf = PublishedShelf(directory / "published")
    errands = Errands(directory / "errands", Steward(store, Clips(store, recorder, deciders), shelf).do)
    recorder.recover()
    errands.recover()
    try:
        yield Workshop(store, recorder, deciders, shelf, errands)
    finally:
        await errands.stop()
        await recorder.stop()


def routes_of(store: Store) -> list[Route]:
    """What plays and shows a store's recordings, drawing at once."""
    return vod_routes(store, Printing(Here(), Prints()))


def begin(recording: Recording, init: int = 0) -> None:
    """Two renditions with their init segments."""
    recording.begin(SOURCE, init, b"init of source")
    recording.begin(AUDIO, init, b"init of audio")


def feed(recording: Recording, numbers: Iterable[int], init: int = 0, **more: Any) -> None:
    for number in numbers:
        for rendition in (SOURCE, AUDIO):
            recording.segment(rendition.name, entry(number, init, **more), data_of(rendition.name, number))


def events_named(events: list[Event], name: str) -> list[Event]:
    return [event for event in events if event.type == name]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)

"""What a node hears of on Kafka, over restarts, and with its notes lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiokafka import AIOKafkaProducer

from commands.identity import new_id
from ingest.recording.errands import Errand, Errands
from ingest.recording.following import Following
from schemas.events.recordings import ClipCreated, RecordingDeleted, RecordingPublished, RecordingStarted
from schemas.events.streams import StreamEnded
from schemas.message import Event
from schemas.wire import Codec
from tests.commands.scenario import NOON, happened
from tests.ingest.recording.takes import becomes
from topology.kafka import aiokafka_options
from topology.settings import Settings

pytestmark = pytest.mark.stack

E = TypeVar("E", bound=Event)


class Node:
    """A node's errands, each done at once."""

    def __init__(self, settings: Settings, codec: Codec, directory: Path) -> None:
        self.settings = settings.model_copy(update={"node": f"node-{new_id()}"})
        self.place = directory / "place.json"
        self.done: list[Errand] = []
        self._codec = codec
        self._directory = directory / "errands"

    async def __aenter__(self) -> Node:
        self._errands = Errands(self._directory, self._do)
        self._errands.recover()
        self._following = Following(self.settings, self._codec, self._errands, self.place)
        await self._following.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._following.__aexit__(None, None, None)
        await self._errands.stop()

    async def _do(self, errand: Errand) -> None:
        self.done.append(errand)

    def about(self) -> list[tuple[str, str]]:
        return [(errand.type, errand.clip_id or errand.stream_id) for errand in self.done]


@pytest.fixture
async def codec(registry: Settings) -> AsyncIterator[Codec]:
    with closing(Codec(registry.schema_registry_url)) as codec:
        await asyncio.to_thread(codec.register_all)
        yield codec


async def append(settings: Settings, codec: Codec, *events: Event) -> None:
    producer = AIOKafkaProducer(**aiokafka_options(settings))
    await producer.start()
    try:
        for event in events:
            encoded = await asyncio.to_thread(codec.encode, event)
            await producer.send_and_wait(event.topic, encoded, b"channel", partition=1)
    finally:
        await producer.stop()


class Story:
    """Events of one stream, with ids of its own: the broker is shared."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.stream = new_id()

    def event(self, event: type[E], **facts: Any) -> E:
        of_stream: dict[str, Any] = {"stream_id": self.stream, "channel_id": f"channel of {self.stream}"}
        return happened(event, **of_stream, **facts).model_copy(update={"event_id": new_id()})

    def published(self) -> RecordingPublished:
        facts = {"started_at": NOON, "duration_ms": 1, "bytes": 1, "complete": True, "playback_path": ""}
        return self.event(RecordingPublished, node=self.node, **facts)

    def clipped(self, clip: str) -> ClipCreated:
        facts: dict[str, Any] = {
            "clip_id": clip,
            "creator_id": "somebody",
            "title": "",
            "duration_ms": 30_000,
            "live": True,
        }
        return self.event(ClipCreated, node=self.node, **facts)


async def test_a_node_sees_to_what_is_its_own_once_over_a_restart(
    registry: Settings, codec: Codec, tmp_path: Path
) -> None:
    node = Node(registry, codec, tmp_path)
    own, other, clip = Story(node.settings.node), Story("another node"), new_id()
    async with node:
        await append(
            registry,
            codec,
            own.event(RecordingStarted, node=own.node),
            own.published(),
            other.published(),
            own.event(StreamEnded, session_id="s", reason="unpublished"),
            own.clipped(clip),
        )
        await becomes(lambda: node.about() == [("RecordingPublished", own.stream), ("ClipCreated", clip)])
        assert node.done[1].duration_ms == 30_000
        assert node.done[1].live
        assert node.done[1].occurred_at == NOON
        await becomes(lambda: not list((tmp_path / "errands").iterdir()))
    await append(registry, codec, own.event(RecordingDeleted, node=own.node, reason="owner"))
    async with node:
        await becomes(lambda: len(node.done) == 3)
        assert node.about()[2] == ("RecordingDeleted", own.stream)


async def test_a_node_that_lost_its_notes_hears_everything_again(
    registry: Settings, codec: Codec, tmp_path: Path
) -> None:
    node = Node(registry, codec, tmp_path)
    stories = [Story(node.settings.node), Story(node.settings.node)]
    await append(registry, codec, *(story.published() for story in stories))
    async with node:
        await becomes(lambda: len(node.done) == 2)
        await becomes(node.place.exists)
    node.place.unlink()
    async with node:
        await becomes(lambda: len(node.done) == 4)
    assert set(node.about()) == {("RecordingPublished", story.stream) for story in stories}

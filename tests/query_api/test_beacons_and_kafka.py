"""Playback reports over a broker that is killed and comes back."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from query_api.beacons import Beacons
from query_api.errors import ApiError
from schemas.events.playback import ViewerJoined
from schemas.wire import Codec
from tests.engines import free_ports, running
from topology.admin import ensure_topics
from topology.embedded.kafka import KafkaBroker
from topology.kafka import client_config
from topology.settings import Settings

pytestmark = [pytest.mark.stack, pytest.mark.faults]


def joined() -> ViewerJoined:
    return ViewerJoined(
        type="ViewerJoined",
        event_id=str(uuid.uuid4()),
        occurred_at=datetime.now(UTC),
        actor="system:tests",
        correlation_id="tests",
        stream_id="s",
        channel_id="1",
        viewer_session_id="viewer-aaaa",
    )


async def taken(beacons: Beacons) -> bool:
    try:
        await beacons.append(joined())
    except ApiError as error:
        assert error.status == 503
        return False
    return True


async def test_reports_are_refused_while_kafka_is_away_and_taken_when_it_is_back(
    registry: Settings, tmp_path: Path
) -> None:
    port, controller_port = free_ports(2)
    settings = registry.model_copy(update={"kafka_bootstrap": f"127.0.0.1:{port}"})
    broker = KafkaBroker(tmp_path / "kafka", settings.cache_dir, port, controller_port)

    def answers() -> bool:
        try:
            return bool(AdminClient(client_config(settings) | {"log_level": 0}).list_topics(timeout=2.0).brokers)
        except KafkaException:
            return False

    launch = await asyncio.to_thread(broker.prepare)
    with closing(Codec(settings.schema_registry_url)) as codec:
        beacons = Beacons(settings, codec)
        async with beacons.running():
            with running(launch, tmp_path / "kafka.log", answers) as process:
                await asyncio.to_thread(ensure_topics, settings)
                await until(beacons)
                assert await beacons.reachable(2.0)
                process.kill()
            assert not await beacons.reachable(2.0)
            assert not await taken(beacons)
            with running(launch, tmp_path / "kafka.log", answers):
                await until(beacons)


async def until(beacons: Beacons) -> None:
    for _ in range(300):
        if await taken(beacons):
            return
        await asyncio.sleep(0.1)
    pytest.fail("no report was taken in time")

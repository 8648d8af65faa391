"""Health events outlast a broker that is away: kept within a bound, oldest dropped first, each at least once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from commands.identity import new_id
from ingest.health.metadata import Announced
from ingest.health.sample import HealthSample
from ingest.media.became import EncoderSaid, HealthBecame, SegmentClosed, StarvationBegan, StarvationOver
from ingest.publishing import reports as subject
from ingest.publishing.journal import Entry
from ingest.publishing.reports import HealthReports
from schemas.commands.streams import AuthorisePublish
from schemas.wire import Codec, Decoded
from tests.commands.system import Log, MortalBroker
from topology.settings import Settings

pytestmark = pytest.mark.stack


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[MortalBroker]:
    with closing(MortalBroker(tmp_path)) as made:
        yield made


@pytest.fixture
def codec(registry: Settings) -> Iterator[Codec]:
    with closing(Codec(registry.schema_registry_url)) as made:
        made.register_all()
        yield made


@pytest.fixture
def entry() -> Entry:
    """A session of a stream of its own."""
    stream_id = new_id()
    asked = AuthorisePublish(
        command_id=new_id(),
        issued_at=datetime.now(UTC),
        actor="system:ingest",
        correlation_id="session",
        channel_id="7",
        session_id="session",
        node="node",
        key_hash="hash",
        stream_id=stream_id,
    )
    return Entry(asked=asked, stream_id=stream_id)


def sent(settings: Settings, codec: Codec, entry: Entry) -> list[Decoded]:
    records = [placed.record for placed in Log(settings, codec).read("stream-health")]
    return [record for record in records if record.fields["stream_id"] == entry.stream_id]


def sample(sequence: int) -> SegmentClosed:
    return SegmentClosed(HealthSample(sequence, 2000, 2500.0, 30.0, 2000, 0, 0, 0, "ok"))


async def test_what_is_reported_while_kafka_is_away_arrives_later(
    broker: MortalBroker, codec: Codec, entry: Entry
) -> None:
    async with HealthReports(broker.settings, codec) as reports:
        reports.report(entry, sample(0))
        await reports.drained()
        restarting = asyncio.create_task(asyncio.to_thread(broker.kill_and_restart))
        for sequence in range(1, 40):
            reports.report(entry, sample(sequence))
            await asyncio.sleep(0.02)
        reports.report(entry, HealthBecame("ok", "warning", ("gopSizeLong",), ("warning",)))
        await restarting
        await reports.drained()
    events = sent(broker.settings, codec, entry)
    assert {event.fields["sequence"] for event in events if event.type == "HealthSampled"} == set(range(40))
    (changed,) = {event.fields["event_id"]: event for event in events if event.type == "HealthChanged"}.values()
    assert (changed.fields["previous"], changed.fields["codes"]) == ("ok", ["gopSizeLong"])
    assert changed.fields["severities"] == ["warning"]


async def test_the_oldest_are_dropped_beyond_the_bound_and_counted(
    registry: Settings, codec: Codec, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "MAX_WAITING", 10)
    with structlog.testing.capture_logs() as logs:
        async with HealthReports(registry, codec) as reports:
            for sequence in range(25):
                reports.report(entry, sample(sequence))
            await reports.drained()
    assert [event.fields["sequence"] for event in sent(registry, codec, entry)] == list(range(15, 25))
    assert [line["count"] for line in logs if line["event"] == "health events dropped"] == [15]


async def test_a_starvation_and_the_encoders_word_become_events(registry: Settings, codec: Codec, entry: Entry) -> None:
    async with HealthReports(registry, codec) as reports:
        reports.report(entry, EncoderSaid(Announced(encoder="Lavf", width=1280, video_kbps=2500.0)))
        reports.report(entry, StarvationBegan(2100))
        reports.report(entry, StarvationOver(4200))
        await reports.drained()
    said, began, over = sent(registry, codec, entry)
    assert (said.type, said.fields["encoder"], said.fields["configured_width"]) == ("EncoderAnnounced", "Lavf", 1280)
    assert (began.type, began.fields["behind_ms"]) == ("StarvationStarted", 2100)
    assert (over.type, over.fields["lasted_ms"]) == ("StarvationEnded", 4200)

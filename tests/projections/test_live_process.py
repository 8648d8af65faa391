"""`python -m projections`: waits for its engines, serves either store, stops for what it cannot mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from projections.models import chat
from tests import engines
from tests.projections import parts
from tests.projections.parts import Feed, Stack, runner
from tests.projections.waiting import eventually
from topology.settings import Settings

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with parts.stack(tmp_path_factory.mktemp("process")) as stack:
        yield stack


@pytest.fixture
def clickhouse_of_its_own(tmp_path: Path) -> Iterator[Settings]:
    """Offsets of another broker in its tables would be taken for this one's progress."""
    with engines.clickhouse(tmp_path) as settings:
        yield settings


@pytest.fixture
def feed(stack: Stack) -> Iterator[Feed]:
    with closing(Feed(stack.settings)) as feed:
        yield feed


async def test_started_first_it_waits_for_postgres_kafka_and_the_registry(stack: Stack, feed: Feed) -> None:
    feed.some(5)
    needed = [stack.postgres, stack.kafka, stack.registry]
    for part in needed:
        part.kill()
    with runner(stack.settings) as live:
        for part, complaint in zip(needed, ["Postgres is away", "Kafka is away", "registry is away"], strict=True):

            async def complains(complaint: str = complaint) -> bool:
                live.assert_alive()
                return complaint in live.log.read_text()

            await eventually(complains)
            await stack.up(part)
        await parts.caught_up(stack.settings, stack.dsn, live)
        await parts.assert_models_equal_their_topics(stack.settings, stack.dsn)


async def test_clickhouse_is_served_by_the_same_runner(
    stack: Stack, feed: Feed, clickhouse_of_its_own: Settings
) -> None:
    feed.some(5)
    stored = {
        name: getattr(clickhouse_of_its_own, name) for name in Settings.model_fields if name.startswith("clickhouse_")
    }
    settings = stack.settings.model_copy(update=stored)
    account = (settings.clickhouse_user, settings.clickhouse_password.get_secret_value())
    with runner(settings, "clickhouse") as live:
        await parts.ready(settings, live, "clickhouse")

        async def all_there() -> bool:
            live.assert_alive()
            query = "SELECT uniqExact(message_id) FROM tally.chat"
            async with httpx.AsyncClient(auth=account) as client:
                answer = (await client.post(settings.clickhouse_url, content=query)).raise_for_status()
            return int(answer.text) == len(parts.expected_rows(settings, chat.MODEL))

        await eventually(all_there)
        assert live.stop() == 0


async def test_too_much_poison_ends_the_process_with_its_reason(stack: Stack, feed: Feed) -> None:
    for _ in range(30):
        feed.append_raw("support", b"poison")
    with runner(stack.settings) as live:
        assert await live.exit_code() == 1
        assert "TooMuchPoison: 21 records in a row cannot be applied, the last one support:0:20" in live.log.read_text()

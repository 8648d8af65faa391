"""A page of a long history is read along the indexes: what it costs does not grow with the history."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import asyncpg
import pytest

from projections.models import MODELS
from projections.postgres.schema import create_base, ensure_live
from projections.postgres.statements import schema_name
from query_api.chat_history import SORTED
from tests.engines import own_database

FIRST = 50
CHANNEL = "6"

FILLED = """
INSERT INTO {chat}.chat_messages
SELECT 'm' || i, (i % 10)::text, (i % 97)::text, 'login', 'Name', 'text', NULL, '', '',
       now() - i * interval '1 second', ''
FROM generate_series(1, 50000) i;
INSERT INTO {support}.donations
SELECT 'd' || i, (i % 10)::text, (i % 97)::text, 500, 'EUR', CASE WHEN i % 1000 = 6 THEN 'text' ELSE '' END, 'login',
       'Name', '', now() - i * interval '1 second'
FROM generate_series(1, 50000) i;
INSERT INTO {chat}.chat_actions (event_id, channel_id, moderator_id, action, target_id, subject_id, acted_at)
SELECT 'a' || i, (i % 10)::text, '1', 'delete', '2', 'm' || i, now() FROM generate_series(1, 50000) i WHERE i % 4 > 1;
ANALYZE;
"""

pytestmark = pytest.mark.stack


@pytest.fixture
async def history(postgres: str) -> AsyncIterator[asyncpg.Connection]:
    async with own_database(postgres) as dsn:
        reader = await asyncpg.connect(dsn, server_settings={"search_path": "tally"})
        await create_base(reader)
        made = {model.name: await ensure_live(reader, model) for model in MODELS}
        await reader.execute(FILLED.format(**{name: schema_name(name, made[name]) for name in ("chat", "support")}))
        yield reader
        await reader.close()


def read(plan: dict[str, Any]) -> float:
    """The rows that the plan's scans looked at."""
    here = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) if "Relation Name" in plan else 0
    return float(here * plan["Actual Loops"] + sum(map(read, plan.get("Plans", ()))))


async def test_a_page_is_read_without_the_rest(history: asyncpg.Connection) -> None:
    middle, whole = datetime.now(UTC) - timedelta(seconds=25_000), (None,) * 5
    pages = {
        "first": whole,
        "of a user": ("6", *whole[1:]),
        "of a time": (None, middle, middle + timedelta(hours=1), None, None),
        "after another": (None, None, None, middle, "m"),
    }
    for sort, page, sees_deleted in product(SORTED, pages, (False, True)):
        asked = (CHANNEL, *pages[page], sees_deleted, FIRST)
        rows = await history.fetch(SORTED[sort], *asked)
        assert len(rows) > FIRST / 2
        assert any(row["deleted_at"] for row in rows) is sees_deleted
        explained = await history.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {SORTED[sort]}", *asked)
        assert read(json.loads(explained)[0]["Plan"]) < 20 * FIRST, (sort, page, sees_deleted)


@pytest.mark.parametrize("sort", SORTED)
async def test_messages_and_gifts_of_one_moment_are_paged_once_each(history: asyncpg.Connection, sort: str) -> None:
    asked = (CHANNEL, None, datetime.now(UTC) - timedelta(seconds=1_100), None)
    together = await history.fetch(SORTED[sort], *asked, None, None, True, 1_000)
    gifts = {"newest": ["d6", "d1006"], "oldest": ["d1006", "d6"]}
    assert [row["message_id"] for row in together if row["amount_minor"]] == gifts[sort]
    met, after = [], (None, None)
    while rows := await history.fetch(SORTED[sort], *asked, *after, True, 1):
        met.append(rows[0]["message_id"])
        after = rows[0]["sent_at"], rows[0]["message_id"]
    assert met == [row["message_id"] for row in together]

"""A page of a long history is read along the indexes: what it costs does not grow with the history."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
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
SELECT 'd' || i, (i % 10)::text, (i % 97)::text, 500, 'EUR', CASE WHEN i % 20 < 10 THEN 'text' ELSE '' END, 'login',
       'Name', '', now() - i * interval '10 seconds'
FROM generate_series(1, 5000) i;
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
        schemas = {name: schema_name(name, version) for name, version in made.items()}
        await reader.execute(FILLED.format(**{name.replace("-", "_"): schema for name, schema in schemas.items()}))
        yield reader
        await reader.close()


def read(plan: dict[str, Any]) -> float:
    """The rows that the plan's scans looked at."""
    here = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) if "Relation Name" in plan else 0
    return float(here * plan["Actual Loops"] + sum(map(read, plan.get("Plans", ()))))


async def test_a_page_is_read_without_the_rest(history: asyncpg.Connection) -> None:
    for sort, sees_deleted in product(SORTED, (False, True)):
        asked = (CHANNEL, None, None, None, None, None, sees_deleted, FIRST)
        rows = await history.fetch(SORTED[sort], *asked)
        assert len(rows) == FIRST
        assert any(row["deleted_at"] for row in rows) is sees_deleted
        assert any(row["amount_minor"] for row in rows)
        explained = await history.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {SORTED[sort]}", *asked)
        assert read(json.loads(explained)[0]["Plan"]) < 20 * FIRST

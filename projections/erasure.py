"""How much the read models still hold of a user."""

from __future__ import annotations

import asyncio
from contextlib import closing

import asyncpg

from projections.clickhouse.database import Database
from projections.clickhouse.log import LOGS
from projections.models import MODELS
from projections.postgres.schema import live_version
from projections.postgres.statements import remains, schema_name
from topology.settings import Settings


async def texts_left(settings: Settings, user_id: str) -> int:
    """Personal texts about the user in the live versions. Raises what asyncpg and ClickHouse's driver raise."""
    return await _in_postgres(settings, user_id) + await asyncio.to_thread(_in_clickhouse, settings, user_id)


async def _in_postgres(settings: Settings, user_id: str) -> int:
    connection = await asyncpg.connect(settings.postgres_dsn.get_secret_value(), timeout=10.0)
    try:
        left = 0
        for model in MODELS:
            live = await live_version(connection, model)
            for query in remains(schema_name(model.name, live.version), model) if live else ():
                left += await connection.fetchval(query, [user_id])
        return left
    finally:
        await connection.close()


def _in_clickhouse(settings: Settings, user_id: str) -> int:
    left = 0
    with closing(Database(settings)) as database:
        for log in LOGS:
            live = database.live(log.topic)
            left += database.remains(log.topic, live.version, [user_id]) if live else 0
    return left

"""Every query of the endpoints is one that the read models can answer."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack

import asyncpg
import pytest

import query_api
from projections.postgres.sink import PostgresSink
from tests.engines import own_database

pytestmark = pytest.mark.stack


def _queries() -> Iterator[tuple[str, str]]:
    for found in pkgutil.walk_packages(query_api.__path__, "query_api."):
        if found.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(found.name)).items():
            for text in value.values() if isinstance(value, dict) else (value,):
                if isinstance(text, str) and text.strip().startswith(("SELECT ", "WITH ")) and not _template(text):
                    yield f"{found.name}.{name}", text


def _template(text: str) -> bool:
    """What is made of it is among the queries."""
    return re.search(r"\{[a-z]+\}", text) is not None


async def _problems(postgres: str) -> list[str]:
    problems = []
    async with own_database(postgres) as dsn, AsyncExitStack() as stack:
        sink = PostgresSink(dsn)
        stack.push_async_callback(sink.close)
        await sink.open()
        reader = await asyncpg.connect(dsn, server_settings={"search_path": "tally"})
        stack.push_async_callback(reader.close)
        for place, sql in _queries():
            try:
                await reader.prepare(sql)
            except asyncpg.PostgresError as error:
                problems.append(f"{place}: {error}")
    return problems


def test_postgres_understands_every_query(postgres: str) -> None:
    assert len(list(_queries())) > 40
    assert asyncio.run(_problems(postgres)) == []

"""Every query of the endpoints is one that the read models can answer."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import uuid
from collections.abc import Iterator

import asyncpg
import pytest

import query_api
from projections.postgres.sink import PostgresSink

pytestmark = pytest.mark.stack


def _queries() -> Iterator[tuple[str, str]]:
    for found in pkgutil.walk_packages(query_api.__path__, "query_api."):
        if found.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(found.name)).items():
            for text in value.values() if isinstance(value, dict) else (value,):
                if isinstance(text, str) and text.strip().startswith(("SELECT ", "WITH ")):
                    yield f"{found.name}.{name}", text


async def _problems(postgres: str) -> list[str]:
    name = f"queries_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(postgres)
    await admin.execute(f"CREATE DATABASE {name}")
    dsn = f"{postgres.rpartition('/')[0]}/{name}"
    sink = PostgresSink(dsn)
    problems = []
    try:
        await sink.open()
        reader = await asyncpg.connect(dsn, server_settings={"search_path": "tally"})
        for place, sql in _queries():
            try:
                await reader.prepare(sql)
            except asyncpg.PostgresError as error:
                problems.append(f"{place}: {error}")
        await reader.close()
    finally:
        await sink.close()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
    return problems


def test_postgres_understands_every_query(postgres: str) -> None:
    assert len(list(_queries())) > 40
    assert asyncio.run(_problems(postgres)) == []

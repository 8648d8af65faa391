"""An erased user is gone: from sign-in, from every read model, and from what replaying the topics gives."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from projections.clickhouse.columns import columns_of
from projections.clickhouse.layout import view_of
from projections.models import MODELS
from schemas.consistency import HEADER
from tests.engines import tally
from tests.system.load import PASSWORD, User, new_user
from topology.topics import EVENT_TOPICS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


async def test_an_erased_user_is_gone_and_replay_agrees(system: dict[str, Any]) -> None:
    said, thanks = f"secret-{uuid4().hex}", f"thanks-{uuid4().hex}"
    async with httpx.AsyncClient(base_url=system["edge"], timeout=30) as http:
        streamer, viewer = await new_user(http), await new_user(http)
        await _act(viewer, streamer, said, thanks)
        traces = (viewer.login, said, thanks)
        await _until_seen(system, traces)
        assert await asyncio.to_thread(_on_disk, system, (said, thanks)) == [], "Kafka holds what was said, readably"

        await _tally(system, "erase", viewer.login, "--yes")

        assert await _held(system, traces) == set()
        again = {"grant_type": "password", "username": viewer.login, "password": PASSWORD}
        assert (await http.post("/oauth2/token", data=again)).status_code == 400
        taken = await http.post("/accounts", json={"login": viewer.login, "password": PASSWORD})
        assert (taken.status_code, "somebody has this login" in taken.text) == (409, True)
        await _tally(system, "replay", "verify")
        await _tally(system, "replay", "rebuild", "--all")
        assert await _held(system, traces) == set()
        await _tally(system, "replay", "verify")
        await _tally(system, "erase", viewer.login, "--yes")  # once more does no harm


async def _act(viewer: User, streamer: User, said: str, thanks: str) -> None:
    target = {"broadcaster_id": streamer.id}
    acts: list[dict[str, Any]] = [
        {"path": "/helix/channels/followers", "params": target},
        {"path": "/helix/chat/messages", "json": target | {"sender_id": viewer.id, "message": said}},
        {
            "path": "/helix/donations",
            "json": target | {"amount": {"value": 500, "currency": "EUR"}, "message": thanks},
        },
    ]
    for act in acts:
        done = await viewer.ask("POST", **act)
        assert done.is_success, done.text
        assert HEADER in done.headers


async def _until_seen(system: dict[str, Any], traces: tuple[str, ...]) -> None:
    """Both stores hold each of the texts: without that, finding none of them later would prove nothing."""
    wanted = {(store, text) for store in ("postgres", "clickhouse") for text in traces}
    async with asyncio.timeout(60):
        while True:
            if await _held(system, traces) == wanted:
                return
            await asyncio.sleep(0.5)


async def _held(system: dict[str, Any], traces: tuple[str, ...]) -> set[tuple[str, str]]:
    """Which of the texts stand in any column of any table of which store."""
    connection = await asyncpg.connect(system["postgres"])
    try:
        tables = [f"tally.{table.name}" for model in MODELS for table in model.tables]
        in_postgres = {
            ("postgres", text)
            for text in traces
            for table in tables
            if await connection.fetchval(f"SELECT count(*) FROM {table} t WHERE strpos(t::text, $1) > 0", text)
        }
    finally:
        await connection.close()
    return in_postgres | await _held_by_clickhouse(system, traces)


async def _held_by_clickhouse(system: dict[str, Any], traces: tuple[str, ...]) -> set[tuple[str, str]]:
    held = set()
    credentials = (system["analyst"]["name"], system["analyst"]["password"])
    async with httpx.AsyncClient(auth=credentials, timeout=30) as http:
        for topic in EVENT_TOPICS:
            everything = ", ".join(f"toString({column.name})" for column in columns_of(topic.name))
            for text in traces:
                found = f"arrayExists(c -> position(ifNull(c, ''), '{text}') > 0, [{everything}])"
                query = f"SELECT count() FROM tally.{view_of(topic.name)} WHERE {found}"
                answer = await http.post(system["clickhouse"], content=query)
                assert answer.status_code == 200, answer.text
                if int(answer.text):
                    held.add(("clickhouse", text))
    return held


def _on_disk(system: dict[str, Any], texts: tuple[str, ...]) -> list[Path]:
    """Kafka's files that hold one of the texts; its records are not compressed."""
    logs = list((Path(system["data"]) / "kafka").rglob("*.log"))
    assert logs
    return [path for path in logs if any(text.encode() in path.read_bytes() for text in texts)]


async def _tally(system: dict[str, Any], *arguments: str) -> str:
    done = await asyncio.to_thread(tally, *arguments, "--data", system["data"])
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout

"""`kill -9` of everything, in turn and at random, under load: nothing acknowledged is lost, nothing counts twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path
from typing import Any

import clickhouse_connect
import httpx
import pytest

from tests.engines import tally
from tests.system.load import Load, new_user, persistent
from topology.system_state import RunDirectory, SystemState

PROCESSES = (
    "kafka",
    "postgres",
    "clickhouse",
    "schema-registry",
    "deciders",
    "projections-postgres",
    "projections-clickhouse",
    "edge",
    "ingest",
)
USERS = 4
RANDOM_KILLS = 3
RECOVERY_S = 120.0

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(900)]


async def _kill(system: dict[str, Any], name: str) -> None:
    """`kill -9`, then wait until another process has taken its place and everything is ready."""
    run = RunDirectory(Path(system["data"]))
    state = run.read()
    assert state is not None
    before = state.processes[name].pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    async with asyncio.timeout(RECOVERY_S):
        while True:
            state = run.read()
            if state is not None and _is_back(state, name, before):
                return
            await asyncio.sleep(0.1)


def _is_back(state: SystemState, name: str, before: int) -> bool:
    everything_ready = all(process.state == "ready" for process in state.processes.values())
    return everything_ready and state.processes[name].pid != before


async def _pages(http: httpx.AsyncClient, path: str, channel: str) -> list[dict[str, Any]]:
    """Everything of a listing, page by page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await persistent(http, "GET", path, params={"broadcaster_id": channel, "first": 100, **cursor})
        assert answer.status_code == 200, answer.text
        found += answer.json()["data"]
        if "cursor" not in answer.json()["pagination"]:
            return found
        cursor = {"after": answer.json()["pagination"]["cursor"]}


async def test_nothing_acknowledged_is_lost_and_nothing_counts_twice(system: dict[str, Any]) -> None:
    seed = random.randrange(2**32)
    async with httpx.AsyncClient(base_url=system["edge"], timeout=30) as http:
        channel = await new_user(http)
        load = Load(channel, [await new_user(http) for _ in range(USERS)], seed)
        dice = random.Random(seed)
        async with load.running():
            for name in (*PROCESSES, *dice.choices(PROCESSES, k=RANDOM_KILLS)):
                await _kill(system, name)
                await asyncio.sleep(1)

        done = load.done
        assert len(done.messages) > 20, f"seed {seed}: the load hardly ran"
        verified = await asyncio.to_thread(tally, "replay", "verify", "--data", system["data"])
        assert verified.returncode == 0, f"seed {seed}:\n{verified.stdout}{verified.stderr}"

        messages = [row["message_id"] for row in await _pages(http, "/helix/chat/messages", channel.id)]
        assert sorted(messages) == sorted([*done.messages, *done.donations]), f"seed {seed}"  # these have words too
        donations = {row["id"]: row["amount"]["value"] for row in await _pages(http, "/helix/donations", channel.id)}
        assert donations == done.donations, f"seed {seed}"
        followers = {row["user_id"] for row in await _pages(http, "/helix/channels/followers", channel.id)}
        assert followers == done.followers, f"seed {seed}"
        assert await asyncio.to_thread(_analysts_view, system, channel.id) == (
            len(done.messages),
            len(done.donations),
            sum(done.donations.values()),
        ), f"seed {seed}"


def _analysts_view(system: dict[str, Any], channel: str) -> tuple[int, int, int]:
    """Messages, donations and money of a channel, as ClickHouse has them."""
    url = httpx.URL(system["clickhouse"])
    client = clickhouse_connect.get_client(
        host=url.host,
        port=url.port or 8123,
        username=system["analyst"]["name"],
        password=system["analyst"]["password"],
        database="tally",
        autogenerate_session_id=False,
    )
    try:
        rows = client.query(
            "SELECT (SELECT count() FROM chat WHERE channel_id = {channel:String}), count(), sum(amount_minor) "
            "FROM support WHERE channel_id = {channel:String}",
            parameters={"channel": channel},
        ).result_rows
    finally:
        client.close()
    messages, donations, money = rows[0]
    return int(messages), int(donations), int(money)

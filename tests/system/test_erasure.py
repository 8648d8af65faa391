"""An erased user is gone: from sign-in, from every read model, and from what replaying the topics gives."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from websockets.asyncio.client import connect

from commands.client import CommandClient
from commands.identity import new_id
from projections.clickhouse.columns import columns_of
from projections.clickhouse.layout import view_of
from projections.models import MODELS
from schemas.commands.accounts import EraseUser
from schemas.consistency import HEADER
from schemas.wire import Codec
from tests.engines import tally
from tests.system.load import PASSWORD, User, new_user
from topology.cli.options import settings_of
from topology.kafka import consumer_config, producer_config
from topology.settings import Settings
from topology.subject_keys.keyring import TOPIC, open_keyring
from topology.subject_keys.state import ERASED
from topology.topics import EVENT_TOPICS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


async def test_an_erased_user_is_gone_and_replay_agrees(system: dict[str, Any], tmp_path: Path) -> None:
    said, thanks = f"secret-{uuid4().hex}", f"thanks-{uuid4().hex}"
    saved = str(tmp_path / "before.json")
    async with httpx.AsyncClient(base_url=system["edge"], timeout=30) as http:
        streamer, viewer = await new_user(http), await new_user(http)
        cursor = await _place_in(system, streamer)
        await _act(viewer, streamer, said, thanks)
        traces = (viewer.login, said, thanks)
        await _until_seen(system, traces)
        assert await asyncio.to_thread(_on_disk, system, (said, thanks)) == [], "Kafka holds what was said, readably"
        assert said in str(await _told(system, streamer, cursor)), "who comes back is told what was missed"
        await _tally(system, "replay", "verify", "--save", saved)

        await _tally(system, "erase", viewer.login, "--yes")

        assert await _held(system, traces) == set()
        again = {"grant_type": "password", "username": viewer.login, "password": PASSWORD}
        assert (await http.post("/oauth2/token", data=again)).status_code == 400
        taken = await http.post("/accounts", json={"login": viewer.login, "password": PASSWORD})
        assert (taken.status_code, "somebody has this login" in taken.text) == (409, True)
        await _until_the_chat_forgets(system, streamer, cursor, (viewer.login, said))
        await _tally(system, "replay", "verify")
        await _tally(system, "replay", "verify", "--against", saved, status=1)
        await _tally(system, "replay", "rebuild", "--all")
        assert await _held(system, traces) == set()
        await _tally(system, "replay", "verify")
        await _tally(system, "erase", viewer.login, "--yes")  # once more does no harm


async def test_an_erasure_that_was_killed_between_its_steps_is_finished_by_asking_again(system: dict[str, Any]) -> None:
    said, thanks = f"secret-{uuid4().hex}", f"thanks-{uuid4().hex}"
    settings = settings_of(Path(system["data"]), None)
    async with httpx.AsyncClient(base_url=system["edge"], timeout=30) as http:
        streamer, viewer = await new_user(http), await new_user(http)
        await _act(viewer, streamer, said, thanks)
        await _until_seen(system, (viewer.login, said, thanks))

        await _end_account(settings, viewer)
        again = {"grant_type": "password", "username": viewer.login, "password": PASSWORD}
        assert (await http.post("/oauth2/token", data=again)).status_code == 400
        assert {text for _, text in await _held(system, (said, thanks))} == {said, thanks}, "the key is still there"
        assert await asyncio.to_thread(_wrapped_keys, settings, viewer) == 1

        await asyncio.to_thread(_append, settings, viewer.id, ERASED)
        assert await asyncio.to_thread(_wrapped_keys, settings, viewer) == 1, "its tombstone is missing yet"

        await _tally(system, "erase", viewer.id, "--id", "--yes")
        assert await asyncio.to_thread(_wrapped_keys, settings, viewer) == 0
        assert await _held(system, (viewer.login, said, thanks)) == set()
        await _tally(system, "replay", "verify")


async def test_nobody_is_erased_who_is_not_there(system: dict[str, Any]) -> None:
    assert "unknown_user" in await _tally(system, "erase", "12345", "--id", "--yes", status=1)


async def _end_account(settings: Settings, user: User) -> None:
    """An erasure's first step, and nothing more."""
    with closing(await asyncio.to_thread(Codec, settings.schema_registry_url, open_keyring(settings))) as codec:
        command = EraseUser(
            command_id=new_id(),
            issued_at=datetime.now(UTC),
            actor="system:erase",
            correlation_id=new_id(),
            user_id=user.id,
        )
        async with CommandClient(settings, codec, ["accounts"]) as client:
            await client.submit(command, timeout_s=30.0)


def _append(settings: Settings, key: str, value: bytes) -> None:
    producer = Producer(producer_config(settings))
    producer.produce(TOPIC, value, key, 0)
    assert producer.flush(20) == 0


def _wrapped_keys(settings: Settings, user: User) -> int:
    """How many of the user's keys a compaction of the log as it is now would leave."""
    last: dict[bytes, bytes | None] = {}
    options = {"enable.partition.eof": True}
    with closing(Consumer(consumer_config(settings, f"tests-{uuid4().hex}") | options)) as consumer:
        consumer.assign([TopicPartition(TOPIC, 0, OFFSET_BEGINNING)])
        while (record := consumer.poll(30)) is not None and record.error() is None:
            last[record.key() or b""] = record.value()
        assert record is not None
    return sum(value is not None for key, value in last.items() if key.startswith(f"{user.id}/".encode()))


async def _told(system: dict[str, Any], room: User, after: str = "") -> list[dict[str, Any]]:
    """What a chat process tells who comes into the room, or back after a cursor."""
    async with connect(system["chat"], proxy=None) as socket, asyncio.timeout(30):
        await socket.send(json.dumps({"type": "join", "room_id": room.id} | ({"after": after} if after else {})))
        await socket.send('{"type": "ping"}')
        told = [json.loads(await socket.recv())]
        while told[-1]["type"] != "pong":
            told.append(json.loads(await socket.recv()))
    return told


async def _place_in(system: dict[str, Any], room: User) -> str:
    """The cursor of now, once the room is known to be one."""
    async with asyncio.timeout(60):
        while True:
            told = (await _told(system, room))[0]
            if told["type"] == "joined":
                return str(told["cursor"])
            await asyncio.sleep(0.5)


async def _until_the_chat_forgets(system: dict[str, Any], room: User, after: str, traces: tuple[str, ...]) -> None:
    async with asyncio.timeout(60):
        while True:
            told = await _told(system, room, after)
            types = [frame["type"] for frame in told]
            assert (types[0], {*types[1:-1]}, types[-1]) == ("joined", {"message"}, "pong")
            if not any(trace in str(told) for trace in traces):
                return
            await asyncio.sleep(0.5)


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


async def _tally(system: dict[str, Any], *arguments: str, status: int = 0) -> str:
    done = await asyncio.to_thread(tally, *arguments, "--data", system["data"])
    assert done.returncode == status, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr

"""What a streamer, a viewer, a script and an analyst do on one evening, on the system as `./tally up` starts it."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import httpx
import pytest

from schemas.consistency import HEADER
from tests.engines import tally
from tests.system.load import User, new_user

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

PATTERN = "testsrc=size=640x360:rate=30,format=yuv420p"


def _ffmpeg(*arguments: str) -> list[str]:
    program = shutil.which("ffmpeg")
    assert program is not None, "ffmpeg is installed by `./tally test`"
    return [program, "-hide_banner", "-loglevel", "error", *arguments]


@contextmanager
def publishing(rtmp: str, key: str) -> Iterator[subprocess.Popen[bytes]]:
    """A real encoder that publishes until the block ends."""
    encoder = subprocess.Popen(
        _ffmpeg(
            *("-re", "-f", "lavfi", "-i", PATTERN, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "60", "-c:a", "aac"),
            *("-f", "flv", f"{rtmp}/{key}"),
        ),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield encoder
    finally:
        encoder.terminate()
        encoder.communicate(timeout=20)


async def _new_key(user: User) -> tuple[str, str]:
    made = await user.ask("POST", "/helix/streams/key")
    assert made.is_success, made.text
    entry = made.json()["data"][0]
    return entry["stream_key"], entry["key_id"]


async def _streams(http: httpx.AsyncClient, user: User) -> list[dict[str, Any]]:
    answer = await http.get("/helix/streams", params={"user_id": user.id})
    assert answer.status_code == 200, answer.text
    listed: list[dict[str, Any]] = answer.json()["data"]
    return listed


async def _until_live(http: httpx.AsyncClient, user: User, live: bool = True) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            found = await _streams(http, user)
            if bool(found) is live:
                return found[0] if found else {}
            await asyncio.sleep(0.2)


async def test_an_evening(system: dict[str, Any]) -> None:
    async with httpx.AsyncClient(base_url=system["edge"], timeout=30) as http:
        streamer, viewer = await new_user(http), await new_user(http)
        titled = await streamer.ask(
            "PATCH", "/helix/channels", params={"broadcaster_id": streamer.id}, json={"title": "An evening"}
        )
        assert titled.is_success, titled.text
        key, key_id = await _new_key(streamer)

        with publishing(system["rtmp"], key) as encoder:
            stream = await _until_live(http, streamer)
            assert stream["title"] == "An evening"
            await _a_player_gets_media(stream["playback_url"])
            await _a_second_publisher_is_refused(system["rtmp"], key)
            await _a_viewer_acts_and_sees_it(viewer, streamer)
            await _health_is_reported(http, stream["id"])
            await _a_thumbnail_is_shown(http, streamer)
            assert encoder.poll() is None, "the encoder was cut off"
        await _until_live(http, streamer, live=False)
        past = (await http.get("/helix/streams/past", params={"user_id": streamer.id})).json()["data"]
        assert [entry["id"] for entry in past] == [stream["id"]]

        revoked = await streamer.ask("DELETE", "/helix/streams/key", params={"key_id": key_id})
        assert revoked.is_success, revoked.text
        with publishing(system["rtmp"], key) as encoder:
            assert await asyncio.to_thread(encoder.wait, 30) != 0, "a revoked key was accepted"
        assert await _streams(http, streamer) == []


async def _a_player_gets_media(playback_url: str) -> None:
    async with httpx.AsyncClient(timeout=20) as http:
        multivariant = await http.get(playback_url)
        variant = next(line for line in multivariant.text.splitlines() if line and not line.startswith("#"))
        media = await http.get(urljoin(playback_url, variant))
        assert "#EXT-X-PART:" in media.text
        assert "#EXT-X-PRELOAD-HINT:TYPE=PART" in media.text
        # ffmpeg knows no parts: it finds nothing to play before the first whole segment.
        async with asyncio.timeout(60):
            while True:
                if "#EXTINF:" in (await http.get(urljoin(playback_url, variant))).text:
                    break
                await asyncio.sleep(0.2)
    decoded = await asyncio.to_thread(
        subprocess.run,
        _ffmpeg("-i", playback_url, "-t", "3", "-f", "null", "-"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert decoded.returncode == 0, decoded.stderr


async def _a_second_publisher_is_refused(rtmp: str, key: str) -> None:
    with publishing(rtmp, key) as second:
        assert await asyncio.to_thread(second.wait, 30) != 0


async def _a_viewer_acts_and_sees_it(viewer: User, streamer: User) -> None:
    """Each act is answered with a place in the log, and a read that carries it sees the act."""
    target = {"broadcaster_id": streamer.id}
    text = f"hello {uuid4().hex}"
    acts: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
        ({"path": "/helix/channels/followers", "params": target}, "/helix/channels/followers", {"user_id": viewer.id}),
        (
            {"path": "/helix/chat/messages", "json": target | {"sender_id": viewer.id, "message": text}},
            "/helix/chat/messages",
            {"message": text},
        ),
        (
            {"path": "/helix/donations", "json": target | {"amount": {"value": 500, "currency": "EUR"}}},
            "/helix/donations",
            {"user_id": viewer.id},
        ),
    ]
    for act, path, expected in acts:
        done = await viewer.ask("POST", **act)
        assert done.is_success, done.text
        read = await viewer.http.get(
            path,
            params=target,
            headers={"Authorization": f"Bearer {streamer.token}", HEADER: done.headers[HEADER]},
        )
        assert read.status_code == 200, read.text
        assert expected.items() <= read.json()["data"][0].items()


async def _health_is_reported(http: httpx.AsyncClient, stream_id: str) -> None:
    async with asyncio.timeout(60):
        while True:
            answer = await http.get(f"/streams/{stream_id}/health")
            if answer.is_success and answer.json()["data"]:
                return
            await asyncio.sleep(0.5)


async def _a_thumbnail_is_shown(http: httpx.AsyncClient, streamer: User) -> None:
    async with asyncio.timeout(60):
        while True:
            (stream,) = await _streams(http, streamer)
            if stream["thumbnail_url"]:
                break
            await asyncio.sleep(0.5)
    thumbnail = await http.get(stream["thumbnail_url"].replace("{width}x{height}", "320x180"))
    assert (thumbnail.status_code, thumbnail.headers["content-type"]) == (200, "image/jpeg")


async def test_engines_thrown_away_are_rebuilt_and_proved_equal(system: dict[str, Any], tmp_path: Path) -> None:
    """The whole of Postgres and ClickHouse is deleted from the disk: the topics are all that is left."""
    note = str(tmp_path / "before.json")
    await _tally(system, "replay", "verify", "--save", note)
    await _tally(system, "down")
    for engine in ("postgres", "clickhouse"):
        await asyncio.to_thread(shutil.rmtree, Path(system["data"]) / engine)
    await _tally(system, "up", "--detach", "--port-base", str(system["port_base"]))
    rebuilt = await _tally(system, "replay", "rebuild", "--all", "--json")
    assert len(json.loads(rebuilt)["rebuilt"]) == 17
    await _tally(system, "replay", "verify", "--against", note)


async def _tally(system: dict[str, Any], *arguments: str) -> str:
    done = await asyncio.to_thread(tally, *arguments, "--data", system["data"])
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout

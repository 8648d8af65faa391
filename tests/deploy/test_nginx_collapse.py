"""The deployed cache before the real origin: what an audience costs the origin does not depend on its size."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.hls.live_edge import LiveEdge
from ingest.hls.origin import create_origin
from ingest.hls.registry import Registry
from tests.deploy.nginx import cache_before
from tests.ingest.hls.stage import Stage

pytestmark = pytest.mark.peer

MEDIA = "/live/stream/source/media.m3u8"
RELOAD = f"{MEDIA}?_HLS_msn=1&_HLS_part=3&"
LISTED = f"{MEDIA}?_HLS_msn=1&_HLS_part=2&"
PART = "/live/stream/source/part1.3.m4s"
PATIENCE_S = 60


class Counted:
    """Counts what an app is asked while a player may wait for it."""

    def __init__(self, app: ASGIApp) -> None:
        self.asked: Counter[str] = Counter()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/live/"):
            query = scope["query_string"].decode()
            self.asked[f"{scope['path']}?{query}" if query else scope["path"]] += 1
        await self._app(scope, receive, send)


@dataclass
class Scene:
    """A stream with one closed segment and three parts of the next, its origin, and the cache's address."""

    stage: Stage
    origin: Counted
    url: str


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    registry = Registry(folder / "live")
    stage = Stage(registry.open("stream"))
    stage.add_segments(1)
    stage.add_parts(3)
    origin = Counted(create_origin(LiveEdge(registry)))
    server = uvicorn.Server(uvicorn.Config(origin, port=0, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(PATIENCE_S):
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
    cache = cache_before(server.servers[0].sockets[0].getsockname()[1], folder)
    url = await asyncio.to_thread(cache.__enter__)
    try:
        yield Scene(stage, origin, url)
    finally:
        await asyncio.to_thread(cache.__exit__, None, None, None)
        server.should_exit = True
        await serving


async def ask(client: httpx.AsyncClient, path: str, number: int) -> httpx.Response:
    """As players do, each in its own words: what they say of themselves, and what they accept."""
    separator = "" if path.endswith("&") else "?"
    accepts = ("gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8")[number % 3]
    return await client.get(f"{path}{separator}CMCD=sid%3D%22{number}%22", headers={"Accept-Encoding": accepts})


async def asked_by(viewers: int, folder: Path) -> Counter[str]:
    """What the origin is asked when so many wait for a part and for the playlist with it."""
    async with scene(folder) as playing:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=playing.url, limits=limits, timeout=PATIENCE_S) as client:
            paths = [path for path in (RELOAD, PART) for _ in range(viewers)]
            waiting = [asyncio.create_task(ask(client, path, number)) for number, path in enumerate(paths)]
            async with asyncio.timeout(PATIENCE_S):
                while len(playing.origin.asked) < 2:  # noqa: ASYNC110  # the origin tells nobody
                    await asyncio.sleep(0.01)
            assert not any(each.done() for each in waiting)
            playing.stage.add_parts(1, fill=b"the part")
            answers = await asyncio.gather(*waiting)
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.content for answer in answers[viewers:]} == {b"the part"}
        (playlist,) = {answer.text for answer in answers[:viewers]}
        assert "part1.3.m4s" in playlist
        return playing.origin.asked


@pytest.mark.parametrize("viewers", [20, 200])
async def test_all_who_wait_for_a_part_cost_the_origin_one_request_for_it_and_one_for_the_playlist(
    viewers: int, tmp_path: Path
) -> None:
    assert await asked_by(viewers, tmp_path) == {RELOAD: 1, PART: 1}


async def test_a_player_that_takes_no_gzip_has_a_playlist_of_its_own(tmp_path: Path) -> None:
    async with scene(tmp_path) as playing, httpx.AsyncClient(base_url=playing.url) as client:
        for accepts in ("gzip", "identity", "gzip", "identity"):
            answer = await client.get(LISTED, headers={"Accept-Encoding": accepts})
            assert answer.headers.get("Content-Encoding", "identity") == accepts
            assert answer.text.startswith("#EXTM3U")
    assert playing.origin.asked == {LISTED: 2}

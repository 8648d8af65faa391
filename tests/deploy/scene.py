"""The deployed cache before the real origin, and what the origin is asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.hls.live_edge import LiveEdge
from ingest.hls.origin import create_origin
from ingest.hls.registry import Registry
from tests.deploy.nginx import cache_before
from tests.ingest.hls.stage import Stage

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
    async with cached(origin, folder) as url:
        yield Scene(stage, origin, url)


@asynccontextmanager
async def cached(origin: ASGIApp, folder: Path) -> AsyncIterator[str]:
    """The address of the cache before this origin."""
    server = uvicorn.Server(uvicorn.Config(origin, port=0, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(PATIENCE_S):
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
    cache = cache_before(server.servers[0].sockets[0].getsockname()[1], folder)
    url = await asyncio.to_thread(cache.__enter__)
    try:
        yield url
    finally:
        await asyncio.to_thread(cache.__exit__, None, None, None)
        server.should_exit = True
        await serving

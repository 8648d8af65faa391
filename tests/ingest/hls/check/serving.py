"""Our own origin on a real port with real media, and a plain file server."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from ingest.hls.gate import PrivateStreams
from ingest.hls.live_edge import LiveEdge
from ingest.hls.live_http import LiveHttp, live_http
from ingest.hls.origin import create_origin
from ingest.hls.registry import Registry
from ingest.media.live import LiveStream, OpenLadder
from ingest.media.profiles import media_settings, window_limits
from ingest.media.tag import MediaTag
from topology.settings import HlsProfile

STREAM = "stream"
_WINDOW_S = {HlsProfile.FAST: 34.0, HlsProfile.STRICT: 58.0}
"""What playlists list: enough that delta updates skip something."""


@asynccontextmanager
async def serving(app: ASGIApp, http: type[LiveHttp] | None = None) -> AsyncIterator[str]:
    """The app's address while it runs; uvicorn's own HTTP if there is no other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=http or "auto", log_level="critical", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


@asynccontextmanager
async def origin_served(edge: LiveEdge) -> AsyncIterator[str]:
    """The address of an origin of public streams, which speaks HTTP as `ingest` does."""
    async with serving(create_origin(edge), live_http(edge, PrivateStreams(lambda _: True))) as address:
        yield address


@asynccontextmanager
async def connections_taken(
    app: ASGIApp, http: type[LiveHttp], keep_alive_s: int = 5
) -> AsyncIterator[tuple[int, ServerState]]:
    """A port where an app is served, and who is there: without a server's start and stop, which take their time."""
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_keep_alive=keep_alive_s)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: http(config, state, {}), "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1], state
    finally:
        for connection in list(state.connections):
            connection.shutdown()
        for task in list(state.tasks):
            task.cancel()
        listener.close()
        await listener.wait_closed()


class Broadcast:
    """A publisher whose media is there up to `backlog_s` already, and then comes at the pace of its timestamps."""

    def __init__(
        self,
        directory: Path,
        tags: Iterable[MediaTag],
        backlog_s: float,
        profile: HlsProfile = HlsProfile.FAST,
        open_ladder: OpenLadder | None = None,
    ) -> None:
        self.registry = Registry(directory, window_limits(profile, _WINDOW_S[profile]))
        self._live = LiveStream(STREAM, "channel", media_settings(profile), self.registry, open_ladder=open_ladder)
        self._start_s = time.time() - backlog_s
        self._coming = list(tags)
        while self._coming and self._coming[0].timestamp_ms < backlog_s * 1000:
            self._push()
            self.registry.store(self.registry.has_work())

    def _push(self) -> None:
        tag = self._coming.pop(0)
        self._live.push(tag, self._start_s + tag.timestamp_ms / 1000)

    def close(self) -> None:
        self._live.close()

    def vanish(self, back_in_s: float, tags: Iterable[MediaTag]) -> None:
        """The publisher is gone, and comes back with other media."""
        self._live.interrupt()
        self._start_s, self._coming = time.time() + back_in_s, list(tags)

    async def _go_on(self) -> None:
        while self._coming:
            wait_s = self._start_s + self._coming[0].timestamp_ms / 1000 - time.time()
            if wait_s > 0:
                await asyncio.sleep(min(wait_s, 0.1))
            else:
                self._push()
        self.close()

    @asynccontextmanager
    async def on_air(self) -> AsyncIterator[str]:
        """The address of its multivariant playlist while it goes on."""
        publishing = asyncio.create_task(self._go_on())
        try:
            async with origin_served(LiveEdge(self.registry)) as address:
                yield f"{address}/live/{STREAM}/index.m3u8"
        finally:
            publishing.cancel()
            with suppress(asyncio.CancelledError):
                await publishing


@asynccontextmanager
async def files_served(directory: Path) -> AsyncIterator[str]:
    """The address of a directory."""
    async with serving(Starlette(routes=[Mount("/", StaticFiles(directory=directory))])) as address:
        yield address

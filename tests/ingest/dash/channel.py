"""A stream that is published in real time, and the origin that serves it over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from ingest.hls.live_edge import LiveEdge
from ingest.hls.origin import create_origin
from ingest.hls.registry import Registry
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from tests.ingest.media.footage import record, shifted

RECORDED_S = 6


class Channel:
    """Sends the same footage over and over."""

    def __init__(self, directory: Path, **recording: Any) -> None:
        self.registry = Registry(directory)
        self._live = LiveStream("stream", "channel", MediaSettings(), self.registry)
        self._tags = record(RECORDED_S, **recording)
        self._rounds = 0
        self._starts_at_s = time.time() - RECORDED_S

    def send_past(self) -> None:
        """What was published before anybody came: one round."""
        for tag in self._next_round():
            self._live.push(tag, self._starts_at_s + tag.timestamp_ms / 1000)

    async def send(self) -> None:
        """Until cancelled, each tag when its timestamp says."""
        while True:
            for tag in self._next_round():
                due_s = self._starts_at_s + tag.timestamp_ms / 1000
                await asyncio.sleep(max(0.0, due_s - time.time()))
                self._live.push(tag, due_s)

    async def lose_the_publisher(self, for_s: float) -> None:
        self._live.interrupt()
        await asyncio.sleep(for_s)
        self._starts_at_s = time.time() - self._rounds * RECORDED_S

    def end(self) -> None:
        self._live.close()

    def _next_round(self) -> Any:
        self._rounds += 1
        return shifted(self._tags, (self._rounds - 1) * RECORDED_S * 1000)


@asynccontextmanager
async def publishing(channel: Channel) -> AsyncIterator[None]:
    sending = asyncio.create_task(channel.send())
    try:
        yield
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending


class _QuietServer(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        pass


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """The address where it answers."""
    server = _QuietServer(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def on_air(channel: Channel) -> AsyncIterator[str]:
    """The origin's address, with a live stream that has been going on for a while."""
    channel.send_past()
    async with serving(create_origin(LiveEdge(channel.registry))) as url, publishing(channel):
        yield url

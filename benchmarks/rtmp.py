"""RTMP ingest against nginx-rtmp, passthrough alone: CPU and memory at N = 1, 20, 100, time to first media."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx
import psutil

from benchmarks.account import Account
from benchmarks.harness import Ratio, Report
from benchmarks.nginx_rtmp import nginx_rtmp
from benchmarks.publishers import Publisher
from benchmarks.recording import FlvTag, record
from benchmarks.stack import running_stack

COUNTS = (1, 20, 100)
WINDOW_S = 20
SETTLE_S = 4
RECORDING_S = 4
"""Two GOPs, so that a repeat begins with a keyframe where the last would have stood."""

FIRST_MEDIA_LIMIT_S = 20
PASSTHROUGH = {
    "TALLY_LADDER": "off",
    "TALLY_THUMBNAIL_INTERVAL_S": "86400",
    "TALLY_RECORDINGS": "false",
    "TALLY_HEALTH_PROBE_SHARE": "0",
}
"""The peer neither encodes nor draws, and keeps and looks at nothing."""

CPU_BAR = 0.8
RSS_BAR_MB = 4.0
"""An ingest's share, beyond what the process weighs without publishers."""

FIRST_MEDIA_BAR = 0.35


@dataclass(frozen=True, slots=True)
class Server:
    """A server under load: where to publish, with which keys, what its work costs, and when a player could start."""

    url: str
    keys: list[str]
    process: psutil.Process
    has_media: Callable[[int], Awaitable[bool]]


@asynccontextmanager
async def _publishing(server: Server, recording: list[FlvTag], numbers: range) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = []
        for number in numbers:
            publisher = Publisher(server.url, server.keys[number], recording, RECORDING_S * 1000)
            tasks.append(group.create_task(publisher.run()))
            await publisher.accepted.wait()
        yield
        for task in tasks:
            task.cancel()


async def _first_media_s(server: Server, recording: list[FlvTag], number: int) -> float:
    """Seconds from opening the connection until the first media can be fetched."""
    publisher = Publisher(server.url, server.keys[number], recording, RECORDING_S * 1000)
    began = time.perf_counter()
    task = asyncio.create_task(publisher.run())
    try:
        while not await server.has_media(number):
            if task.done():
                task.result()
            if time.perf_counter() - began > FIRST_MEDIA_LIMIT_S:
                raise RuntimeError(f"no media from {server.url} within {FIRST_MEDIA_LIMIT_S} s")
            await asyncio.sleep(0.01)
        return time.perf_counter() - began
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _load(server: Server, recording: list[FlvTag], count: int) -> dict[str, float]:
    """CPU ms per ingest-second with `count` publishers, and the first media of one that joins the others."""
    async with _publishing(server, recording, range(count)):
        await asyncio.sleep(SETTLE_S)
        before, began = sum(server.process.cpu_times()[:2]), time.perf_counter()
        await asyncio.sleep(WINDOW_S)
        spent = sum(server.process.cpu_times()[:2]) - before
        ingest_s = count * (time.perf_counter() - began)
        rss_mb = _rss_mb(server)
        joined = await _first_media_s(server, recording, count)
    return {
        "cpu_ms_per_ingest_s": round(spent * 1000 / ingest_s, 3),
        "first_media_s": round(joined, 3),
        "rss_mb": rss_mb,
    }


def _rss_mb(server: Server) -> float:
    return round(server.process.memory_info().rss / 2**20, 1)


async def _measure(tally: Server, peer: Server, recording: list[FlvTag], say: Callable[[str], None]) -> dict[str, Any]:
    servers = {"tally": tally, "nginx_rtmp": peer}
    figures: dict[str, Any] = {f"{name}_idle_rss_mb": _rss_mb(server) for name, server in servers.items()}
    for count in COUNTS:
        for name, server in servers.items():
            say(f"{name}, {count} publishers …")
            measured = figures[f"{name}_n{count}"] = await _load(server, recording, count)
            say(str(measured))
    return figures


async def _run(status: dict[str, Any], say: Callable[[str], None], seed: int) -> dict[str, Any]:
    recording = record(RECORDING_S, seed)
    async with httpx.AsyncClient(base_url=status["edge"], timeout=10) as http:
        say(f"Registering {max(COUNTS) + 1} channels …")
        accounts = [await Account.register(http) for _ in range(max(COUNTS) + 1)]
        keys = [await account.new_stream_key() for account in accounts]

        async def tally_has_media(number: int) -> bool:
            live = await http.get("/helix/streams", params={"user_id": accounts[number].user_id})
            return live.is_success and bool(live.json()["data"]) and await _has_part(http, live.json()["data"][0])

        with nginx_rtmp() as peer:

            async def peer_has_media(number: int) -> bool:
                playlist = peer.playlists / f"{keys[number]}.m3u8"
                return playlist.exists() and ".ts" in playlist.read_text()

            ours = Server(status["rtmp"], keys, psutil.Process(status["processes"]["ingest"]["pid"]), tally_has_media)
            return await _measure(ours, Server(peer.url, keys, peer.worker, peer_has_media), recording, say)


async def _has_part(http: httpx.AsyncClient, stream: dict[str, Any]) -> bool:
    """Whether a player that begins at the multivariant playlist would find media."""
    multivariant = await http.get(stream["playback_url"])
    if not multivariant.is_success:
        return False
    variant = next(line for line in multivariant.text.splitlines() if line and not line.startswith("#"))
    media = await http.get(urljoin(stream["playback_url"], variant))
    return media.is_success and "#EXT-X-PART:" in media.text


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Load both servers in turn with the same recording, on one machine in one run."""
    try:
        with running_stack(PASSTHROUGH) as stack:
            figures = asyncio.run(_run(stack.status, say, seed))
    except ExceptionGroup as group:
        raise RuntimeError("; ".join(str(error) for error in group.exceptions)) from group
    ratios = {}
    for count in COUNTS:
        ours, peer = figures[f"tally_n{count}"], figures[f"nginx_rtmp_n{count}"]
        if count > 1:
            cpu = ours["cpu_ms_per_ingest_s"] / peer["cpu_ms_per_ingest_s"]
            ratios[f"cpu_n{count}_over_nginx_rtmp"] = Ratio(cpu, CPU_BAR, "<=")
            share_mb = (ours["rss_mb"] - figures["tally_idle_rss_mb"]) / count
            ratios[f"rss_per_ingest_n{count}_over_limit"] = Ratio(share_mb / RSS_BAR_MB, 1.0, "<=")
        first = ours["first_media_s"] / peer["first_media_s"]
        ratios[f"first_media_n{count}_over_nginx_rtmp"] = Ratio(first, FIRST_MEDIA_BAR, "<=")
    return Report("rtmp", figures, ratios, seed)

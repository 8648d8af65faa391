"""Low-latency DASH through the deployed cache: segments pass through it while they grow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from ingest.hls.growing import Starved
from ingest.hls.live_edge import LiveEdge
from ingest.hls.origin import create_origin
from tests.deploy.scene import PATIENCE_S, Counted, cached, scene
from tests.ingest.dash.channel import RECORDED_S, Channel, publishing
from tests.ingest.dash.screen import reaches, screens, seconds
from tests.ingest.dash.test_dash_playing import decode_times

pytestmark = pytest.mark.peer

MANIFEST = "/live/stream/manifest.mpd"
GROWING = "/live/stream/source/segment1.m4s"
PART = b"p" * 60_000
KEPT_BACK = 4096
"""Bytes of a part that nginx passes on with the next one: less than one of its buffers."""


async def read_until(stream: AsyncIterator[bytes], size: int, got: bytes = b"") -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        while len(got) < size:
            got += await anext(stream)
    return got


async def test_the_parts_of_a_growing_segment_pass_through_as_they_come(tmp_path: Path) -> None:
    async with scene(tmp_path) as playing, httpx.AsyncClient(base_url=playing.url, timeout=PATIENCE_S) as client:
        before = len(b"part 0;") * 3
        async with client.stream("GET", GROWING) as answer:
            stream = answer.aiter_raw()
            got = b""
            for parts in range(1, 4):
                playing.stage.add_parts(1, fill=PART)
                got = await read_until(stream, before + parts * len(PART) - KEPT_BACK, got)
            playing.stage.close()
            got = await read_until(stream, before + 3 * len(PART), got)
        assert got == b"part 0;part 1;part 2;" + 3 * PART
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_who_asks_for_a_segment_that_grows_for_another_has_it_when_it_closes(tmp_path: Path) -> None:
    async with scene(tmp_path) as playing, httpx.AsyncClient(base_url=playing.url, timeout=PATIENCE_S) as client:
        async with client.stream("GET", GROWING) as first:
            stream = first.aiter_raw()
            got = await read_until(stream, 1)
            others = [asyncio.create_task(client.get(GROWING)) for _ in range(20)]
            playing.stage.add_parts(1, fill=PART, close=True)
            got = await read_until(stream, len(b"part 0;") * 3 + len(PART), got)
        answers = await asyncio.gather(*others)
        assert {answer.content for answer in answers} == {got}
        assert playing.origin.asked == {GROWING: 1}


async def test_a_segment_that_broke_off_is_not_kept(tmp_path: Path) -> None:
    asked = 0

    async def origin(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal asked
        headers = [(b"cache-control", b"public, max-age=31536000, immutable")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["path"] == GROWING:
            asked += 1
            await send({"type": "http.response.body", "body": PART, "more_body": True})
            if asked == 1:
                raise Starved
        await send({"type": "http.response.body", "body": PART})

    async with cached(origin, tmp_path) as url, httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(GROWING)
        assert [(await client.get(GROWING)).content for _ in range(2)] == [2 * PART] * 2
    assert asked == 2


async def test_the_manifest_is_packed_for_who_takes_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as playing, httpx.AsyncClient(base_url=playing.url) as client:
        for accepts in ("gzip", "identity"):
            answer = await client.get(MANIFEST, headers={"Accept-Encoding": accepts})
            assert answer.headers.get("Content-Encoding", "identity") == accepts
            assert answer.text.startswith("<?xml")


async def test_ffmpeg_plays_through_the_cache(tmp_path: Path) -> None:
    channel = Channel(tmp_path / "live")
    channel.send_past()
    async with cached(create_origin(LiveEdge(channel.registry)), tmp_path) as url, publishing(channel):
        times = await asyncio.to_thread(decode_times, url + MANIFEST, RECORDED_S + 3.0)
    assert all(track[-1] - track[0] >= RECORDED_S + 3.0 for track in times.values())


@pytest.mark.browser
async def test_dash_js_plays_through_the_cache_for_two_at_once(tmp_path: Path) -> None:
    channel = Channel(tmp_path / "live")
    channel.send_past()
    origin = Counted(create_origin(LiveEdge(channel.registry)))
    async with cached(origin, tmp_path) as url, publishing(channel), screens(2) as pages:
        for page in pages:
            await page.goto(f"{url}/page")
        for page in pages:
            await reaches(page, 0.1)
        for page in pages:
            await reaches(page, await seconds(page) + 6)
            assert await page.evaluate("[errors, video.videoWidth]") == [[], 320]
    segments = [count for asked, count in origin.asked.items() if "/segment" in asked]
    assert len(segments) > 4
    assert set(segments) == {1}

"""The deployed cache before the real origin: what an audience costs the origin does not depend on its size."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.deploy.scene import PATIENCE_S, scene

pytestmark = pytest.mark.peer

MEDIA = "/live/stream/source/media.m3u8"
RELOAD = f"{MEDIA}?_HLS_msn=1&_HLS_part=3&"
LISTED = f"{MEDIA}?_HLS_msn=1&_HLS_part=2&"
PART = "/live/stream/source/part1.3.m4s"


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

"""The checker on other servers' HLS: classic streams are judged by what they have, and what they lack is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.nginx_rtmp import nginx_rtmp
from ingest.hls.check.features import missing
from ingest.hls.check.observe import observe
from ingest.hls.check.rule import Outcome
from tests.ingest.hls.check.serving import files_served
from tests.ingest.hls.check.verdicts import failures, rules_with

PUBLISH = (
    "ffmpeg -v error -re -f lavfi -i testsrc=s=320x180:r=25 -f lavfi -i sine=sample_rate=48000 -t 120 -c:v libx264 "
    "-preset ultrafast -pix_fmt yuv420p -g 50 -c:a aac"
)
PATIENCE_S = 90


@asynccontextmanager
async def published(*target: str, cwd: Path | None = None) -> AsyncIterator[None]:
    """A moving picture with a tone, by ffmpeg."""
    publishing = await asyncio.create_subprocess_exec(*PUBLISH.split(), *target, cwd=cwd)
    try:
        yield
    finally:
        publishing.terminate()
        await publishing.wait()


async def appears(path: Path) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not path.exists():  # noqa: ASYNC110, ASYNC240  # another program's file
            await asyncio.sleep(0.1)


async def test_classic_hls_of_nginx_rtmp() -> None:
    with nginx_rtmp() as peer:
        async with published("-f", "flv", f"{peer.url}/show"), files_served(peer.playlists) as address:
            await appears(peer.playlists / "show.m3u8")
            facts = await observe(f"{address}/show.m3u8", seconds=10)
    assert missing(facts) == ["parts", "blocking reload", "preload hints", "delta updates", "program times"]
    passed = rules_with(Outcome.PASSED, facts)
    assert passed >= {"playlist-syntax", "target-duration", "segments-never-change", "listed-is-available"}
    assert "program-date-time" in failures(facts)
    assert rules_with(Outcome.NOT_APPLICABLE, facts) >= {"part-inf", "preload-hint", "reload-blocks", "hint-comes-true"}

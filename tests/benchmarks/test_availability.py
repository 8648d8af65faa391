"""What the client of the latency benchmark sees of an origin."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.availability import behind_ms, moments_of, part_target_s
from ingest.hls.live_edge import LiveEdge
from ingest.hls.origin import create_origin
from ingest.hls.registry import Registry
from tests.ingest.dash.channel import serving
from tests.ingest.hls.stage import PART_S, Stage


async def test_each_part_of_a_rung_is_seen_after_the_sources(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    stage = Stage(registry.open("stream"), ["source", "360p"])
    stage.add_segments(1)

    async def publish() -> None:
        while True:
            stage.names = ["source"]
            stage.add_parts(1)
            media_s, stage.names = stage.media_s, ["360p"]
            await asyncio.sleep(0.01)
            window = stage.playback.window("360p")
            assert window
            window.add_part(stage.playback.timeline.slots[-1], b"part", independent=False)
            stage.playback.announce()
            stage.media_s = media_s
            await asyncio.sleep(0.01)

    async with serving(create_origin(LiveEdge(registry))) as url:
        publishing = asyncio.create_task(publish())
        assert await part_target_s(f"{url}/live/stream") == PART_S
        moments = await moments_of(f"{url}/live/stream", ("source", "360p"), 0.5)
        publishing.cancel()
    behind = behind_ms(moments["360p"], moments["source"])
    assert len(behind) > 1
    assert sum(behind) > 0

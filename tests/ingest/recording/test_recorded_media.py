"""Real media, recorded, and played over HTTP by libavformat and by the ffmpeg program."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import pytest
import uvicorn
from starlette.applications import Starlette

from ingest.hls.registry import Registry
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from ingest.storage.contract import Store
from tests.ingest.media.footage import NOW_S, push_all, record, shifted
from tests.ingest.recording.takes import becomes
from tests.ingest.recording.workshop import Workshop, routes_of, workshop

SECONDS = 8


@asynccontextmanager
async def served(store: Store) -> AsyncIterator[str]:
    """The address of a real server of the store's recordings."""
    app = Starlette(routes=routes_of(store))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    await becomes(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def live(at: Workshop, directory: Path) -> LiveStream:
    registry = Registry(directory / "live")
    return LiveStream("stream", "channel", MediaSettings(segment_min_s=1.0), registry, [at.open()])


async def recorded(at: Workshop, directory: Path) -> None:
    """A whole stream of SECONDS."""
    stream = await live(at, directory)
    push_all(stream, record(SECONDS, gop=30))
    stream.close()
    await at.published()


def played(url: str) -> dict[str, Any]:
    """What libavformat makes of it: seconds of each track, frames that decode."""
    with av.open(url) as container:
        spans: dict[str, list[float]] = {"video": [], "audio": []}
        frames = 0
        for packet in container.demux():
            if packet.dts is None or packet.duration is None or packet.time_base is None:
                continue
            spans[packet.stream.type].append(float(packet.dts * packet.time_base))
            frames += len(packet.decode()) if packet.stream.type == "video" else 0
        lasting = {kind: max(times) - min(times) for kind, times in spans.items() if times}
        return {"frames": frames, "declared": (container.duration or 0) / 1_000_000, **lasting}


async def test_a_recording_plays_for_as_long_as_the_stream_lasted(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        await recorded(at, tmp_path)
        event = at.event("RecordingPublished")
        async with served(at.store) as address:
            seen = await asyncio.to_thread(played, address + event.playback_path)
    assert event.complete
    assert event.duration_ms == pytest.approx(SECONDS * 1000, abs=100)
    assert seen["frames"] >= SECONDS * 30 - 1
    assert seen["video"] == pytest.approx(SECONDS, abs=0.1)
    assert seen["audio"] == pytest.approx(SECONDS, abs=0.1)
    assert seen["declared"] == pytest.approx(event.duration_ms / 1000, abs=0.1)


@pytest.mark.peer
@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs the ffmpeg program")
async def test_ffmpeg_plays_a_recording_without_a_complaint(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        await recorded(at, tmp_path)
        async with served(at.store) as address:
            command = [
                "ffmpeg",
                "-v",
                "warning",
                "-xerror",
                "-i",
                f"{address}/vod/stream/index.m3u8",
                "-f",
                "null",
                "-",
            ]
            done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


async def test_a_clip_plays_from_a_keyframe_within_the_bounds_that_were_said(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        await recorded(at, tmp_path)
        clip_id = await at.clip(at_s=NOW_S, lasting_s=5, vod_id="stream", vod_end_ms=7_500)
        await at.manifest(clip_id)
        await becomes(lambda: any(event.type == "ClipPublished" for event in at.deciders.events))
        event = at.event("ClipPublished")
        async with served(at.store) as address:
            seen = await asyncio.to_thread(played, address + event.playback_path)
    assert event.vod_offset_ms == pytest.approx(2_000, abs=50), "the keyframe before 2.5 s"
    assert event.duration_ms == pytest.approx(6_000, abs=50), "to the end of the segment with 7.5 s"
    assert seen["frames"] >= event.duration_ms * 30 / 1000 - 1
    assert seen["video"] == pytest.approx(event.duration_ms / 1000, abs=0.1)


async def test_a_publisher_that_came_back_is_in_the_same_recording_after_a_discontinuity(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        stream = await live(at, tmp_path)
        push_all(stream, record(3, gop=30))
        stream.interrupt()
        push_all(stream, shifted(record(3, gop=30), 10_000))
        stream.close()
        await at.published()
        manifest = await at.manifest()
        async with served(at.store) as address:
            seen = await asyncio.to_thread(played, f"{address}/vod/stream/index.m3u8")
    assert [segment.discontinuity for segment in manifest.timeline].count(True) == 1
    assert manifest.complete
    assert manifest.duration_s == pytest.approx(6, abs=0.1)
    assert seen["frames"] >= 6 * 30 - 2

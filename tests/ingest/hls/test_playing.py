"""Players over HTTP: libavformat opens what the origin serves, from the multivariant playlist on."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import pytest

from ingest.hls.live_edge import LiveEdge
from ingest.hls.registry import Registry
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from tests.ingest.hls.check.serving import origin_served
from tests.ingest.media.footage import push_all, record


@asynccontextmanager
async def origin_of(registry: Registry) -> AsyncIterator[str]:
    async with origin_served(LiveEdge(registry)) as address:
        yield f"{address}/live/stream/index.m3u8"


def registry_with(directory: Path, **recording: Any) -> Registry:
    registry = Registry(directory)
    live = LiveStream("stream", "channel", MediaSettings(), registry)
    push_all(live, record(**recording))
    live.close()
    return registry


async def play(registry: Registry, look: Callable[[str], dict[str, int]]) -> dict[str, int]:
    async with origin_of(registry) as url:
        return await asyncio.to_thread(look, url)


def decoded_frames(url: str) -> dict[str, int]:
    """How many frames of each kind decode, of the first stream of each."""
    counts: dict[str, int] = {}
    for kind in ("video", "audio"):
        with av.open(url, "r", options={"live_start_index": "0"}) as container:
            tracks = [stream for stream in container.streams if stream.type == kind]
            if tracks:
                counts[kind] = sum(1 for _ in container.decode(tracks[0]))
    return counts


async def test_picture_and_sound_play_from_their_own_renditions(tmp_path: Path) -> None:
    played = await play(registry_with(tmp_path), decoded_frames)
    assert played["video"] == 180
    assert played["audio"] > 270


async def test_sound_alone_plays(tmp_path: Path) -> None:
    played = await play(registry_with(tmp_path, video=""), decoded_frames)
    assert set(played) == {"audio"}
    assert played["audio"] > 270


async def test_a_picture_without_sound_plays(tmp_path: Path) -> None:
    assert await play(registry_with(tmp_path, audio=False), decoded_frames) == {"video": 180}


@pytest.mark.peer
@pytest.mark.skipif(not shutil.which("ffprobe"), reason="needs the ffprobe program")
async def test_ffprobe_finds_both_kinds_and_complains_of_nothing(tmp_path: Path) -> None:
    def probe(url: str) -> dict[str, int]:
        command = ["ffprobe", "-v", "warning", "-show_entries", "stream=codec_type", "-of", "csv=p=0", url]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert done.stderr == ""
        kinds = done.stdout.split()
        return {kind: kinds.count(kind) for kind in set(kinds)}

    kinds = await play(registry_with(tmp_path), probe)
    assert set(kinds) == {"video", "audio"}

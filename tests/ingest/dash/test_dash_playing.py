"""The ffmpeg programs play the MPD, while the stream is live and when it is over. (PyAV's build cannot read MPDs.)"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.hls.live_edge import LiveEdge
from ingest.hls.origin import create_origin
from tests.ingest.dash.channel import RECORDED_S, Channel, on_air, serving

MANIFEST = "/live/stream/manifest.mpd"

pytestmark = [pytest.mark.peer, pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs the ffmpeg programs")]


def decode_times(url: str, each_s: float) -> dict[str, list[float]]:
    """Decode times of both tracks in seconds, until each has so many seconds of them."""
    command = ["ffprobe", "-v", "error", "-show_entries", "packet=codec_type,dts_time", "-of", "csv=p=0", url]
    times: dict[str, list[float]] = {"video": [], "audio": []}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as probe:
        assert probe.stdout
        for line in probe.stdout:
            kind, dts_s = line.split(",")[:2]
            times[kind].append(float(dts_s))
            if all(track and track[-1] - track[0] >= each_s for track in times.values()):
                break
        probe.terminate()
    return times


@pytest.mark.parametrize("b_frames", [0, 2])
async def test_a_live_stream_plays_into_what_is_published_meanwhile(tmp_path: Path, b_frames: int) -> None:
    async with on_air(Channel(tmp_path, b_frames=b_frames)) as url:
        times = await asyncio.to_thread(decode_times, url + MANIFEST, RECORDED_S + 4.0)
    for track in times.values():
        assert track[-1] - track[0] >= RECORDED_S + 4.0
        assert all(0 < after - before < 0.1 for before, after in pairwise(track))


@pytest.mark.parametrize(
    ("recording", "kinds"),
    [({}, {"video", "audio"}), ({"video": ""}, {"audio"}), ({"audio": False}, {"video"})],
)
async def test_what_a_stream_left_plays_without_complaint(
    tmp_path: Path, recording: dict[str, object], kinds: set[str]
) -> None:
    def play(url: str) -> str:
        command = ["ffmpeg", "-v", "warning", "-xerror", "-i", url, "-map", "0", "-f", "null", "-"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stderr

    def probe(url: str) -> set[str]:
        command = ["ffprobe", "-v", "warning", "-show_entries", "stream=codec_type", "-of", "csv=p=0", url]
        return set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split())

    channel = Channel(tmp_path, **recording)
    channel.send_past()
    channel.end()
    async with serving(create_origin(LiveEdge(channel.registry))) as url:
        assert await asyncio.to_thread(play, url + MANIFEST) == ""
        assert await asyncio.to_thread(probe, url + MANIFEST) == kinds

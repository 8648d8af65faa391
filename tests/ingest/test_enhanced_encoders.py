"""Enhanced RTMP as libavformat writes it: HEVC and AV1 are played, and what is not taken is refused by name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ingest.rtmp.house import House, eventually, running_house

ROOT = Path(__file__).parents[2]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running_house(tmp_path) as running:
        yield running


def publish(house: House, key: str, video: str, *sounds: str) -> subprocess.CompletedProcess[str]:
    url = f"rtmp://127.0.0.1:{house.port}/live/{key}"
    command = [sys.executable, "-m", "tests.ingest.enhanced_encoder", url, video, *(sounds or ["aac"])]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)


@pytest.mark.parametrize(("video", "codec"), [("libx264", "avc1"), ("libx265", "hvc1"), ("libsvtav1", "av01")])
def test_its_codecs_are_played(house: House, video: str, codec: str) -> None:
    key = house.new_key()
    done = publish(house, key, video)
    assert done.returncode == 0, done.stderr
    playback = eventually(lambda: house.playback(key))
    assert playback is not None
    assert f'CODECS="{codec}.' in playback.multivariant()
    eventually(lambda: house.deciders.happened(house.stream_of(key))[-1:] == ["StreamEnded:unpublished"])


@pytest.mark.parametrize(
    ("sounds", "reason"),
    [
        (("aac", "aac"), "multitrack audio is not supported; send one audio track"),
        (("libopus",), "Opus audio is not supported; send AAC"),
        (("flac",), "FLAC audio is not supported; send AAC"),
    ],
    ids=["two tracks", "Opus", "FLAC"],
)
def test_sound_that_is_not_taken_is_refused_by_name(house: House, sounds: tuple[str, ...], reason: str) -> None:
    publish(house, house.new_key(), "libx264", *sounds)
    eventually(lambda: [line for line in house.ended("refused_media") if reason in line["reason"]])

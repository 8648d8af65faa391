"""The demo publishes over real RTMP; the ffmpeg program is the server here."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from ingest.demo.clock import read_clock, sample_clock
from ingest.demo.publisher import Footage, publish

SMALL = Footage(width=320, height=180, video_kbps=300)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def rtmp_server(port: int, recording: Path) -> Iterator[str]:
    """Takes one publisher and records what it sends."""
    url = f"rtmp://127.0.0.1:{port}/live/key"
    command = ["ffmpeg", "-v", "error", "-y", "-listen", "1", "-i", url, "-c", "copy", str(recording)]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield url
        server.wait(20)
    finally:
        server.kill()
        server.wait()


@pytest.mark.peer
@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs the ffmpeg program")
def test_the_demo_waits_for_its_server_and_publishes_a_picture_with_a_clock(tmp_path: Path) -> None:
    said: list[str] = []
    port = free_port()
    recording = tmp_path / "demo.flv"
    stopped = threading.Event()
    url = f"rtmp://127.0.0.1:{port}/live/key"
    publisher = threading.Thread(target=publish, args=(url, SMALL, stopped, said.append, 8.0))
    publisher.start()
    while not said:
        stopped.wait(0.05)
    with rtmp_server(port, recording):
        publisher.join()
    assert said[0].startswith("not connected")
    assert "publishing" in said
    with av.open(str(recording)) as container:
        kinds = {stream.type for stream in container.streams}
        clocks = [
            read_clock(sample_clock(frame.to_ndarray(format="gray8").astype(np.uint8, copy=False)))
            for frame in container.decode(video=0)
        ]
    assert kinds == {"audio", "video"}
    assert None not in clocks
    assert clocks == sorted(set(clocks), key=clocks.index)


def test_a_server_that_is_not_there_is_said_and_given_up_at_the_end() -> None:
    said: list[str] = []
    url = f"rtmp://127.0.0.1:{free_port()}/live/key"
    assert not publish(url, SMALL, threading.Event(), said.append, seconds=0.6)
    assert all("trying again" in line for line in said)
    assert "/live/" not in "".join(said), "the key is a secret"


def test_a_stopped_demo_does_not_start() -> None:
    stopped = threading.Event()
    stopped.set()
    assert not publish("rtmp://127.0.0.1:1/live/key", SMALL, stopped, lambda line: None)

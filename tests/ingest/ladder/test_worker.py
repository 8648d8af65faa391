"""The worker as a process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import uvloop

from ingest.ladder.rungs import Rung
from ingest.ladder.wire import Begin, Picture, Rungs, encode
from ingest.ladder.worker import Worker
from ingest.media.avc import read_avc
from ingest.media.flv import VideoConfig, VideoFrame, read_video
from ingest.media.init import VIDEO_TIMESCALE
from tests.ingest.media.footage import record

PATIENCE_S = 60
ODD = Rung("odd", 161, 91, 30.0, 1, 300)
"""No encoder takes odd sizes in 4:2:0."""


def said(rung: Rung) -> bytes:
    """What a parent says to have this rung of a second of video."""
    messages = []
    for tag in record(1):
        unit = read_video(tag.payload) if tag.kind == "video" else None
        if isinstance(unit, VideoConfig):
            codec = read_avc(unit.record).entry.decode()
            messages += [encode(Begin(codec, unit.record, VIDEO_TIMESCALE, "libx264")), encode(Rungs(((0, rung),)))]
        elif isinstance(unit, VideoFrame):
            messages.append(encode(Picture(tag.timestamp_ms * 90, 0, unit.keyframe, unit.data)))
    return b"".join(messages)


def test_ingest_does_not_start_with_an_encoder_that_is_not_here_and_says_so() -> None:
    environment = {**os.environ, "TALLY_LADDER": "auto", "TALLY_LADDER_ENCODER": "mpeg2video"}
    command = [sys.executable, "-m", "ingest"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 2
    assert "cannot use 'mpeg2video'; set ladder_encoder to one of libx264, h264_nvenc" in ended.stdout + ended.stderr


def test_a_rung_that_cannot_be_encoded_ends_the_worker_with_the_reason() -> None:
    command = [sys.executable, "-m", "ingest.ladder"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as worker:
        assert worker.stdin and worker.stderr
        worker.stdin.write(said(ODD))
        worker.stdin.flush()
        assert worker.wait(PATIENCE_S) == 1
        assert b"avcodec_open2" in worker.stderr.read()


def test_a_worker_that_was_killed_may_be_spoken_to_until_its_end_is_heard() -> None:
    async def kill_one() -> None:
        ended = asyncio.Event()
        worker = Worker(lambda message: None, ended.set)
        while worker.pid is None:  # noqa: ASYNC110  # nothing tells that it has started
            await asyncio.sleep(0.01)
        os.kill(worker.pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_S):
            while not ended.is_set():
                worker.say(Picture(0, 0, True, bytes(1000)))
                await asyncio.sleep(0)

    for _ in range(10):
        uvloop.run(kill_one())  # as ingest does: what it has closed cannot be written to

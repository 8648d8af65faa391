"""Pictures and sounds of which it is known what they show, encoded for real as FLV tags."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from ingest.media.aac import read_aac
from ingest.media.av1 import read_av1
from ingest.media.avc import read_avc
from ingest.media.flv import AudioConfig, AudioFrame, VideoConfig, VideoFrame, read_audio, read_video
from ingest.media.hevc import read_hevc
from ingest.media.parameters import AudioParameters, VideoParameters
from ingest.media.tag import MediaTag
from tests.ingest.media.footage import read_flv

WIDTH, HEIGHT, RATE, GOP = 320, 180, 15, 30
SAMPLE_RATE, SAMPLES = 48_000, 1024

_READERS = {"avc1": read_avc, "hvc1": read_hevc, "av01": read_av1}

Picture = np.ndarray[Any, np.dtype[np.uint8]]


def _black(index: int) -> Picture:
    return np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def _still(index: int) -> Picture:
    rows, columns = np.arange(HEIGHT)[:, None, None], np.arange(WIDTH)[None, :, None]
    return np.asarray((rows * 2 + columns + np.array([0, 85, 170])) % 256, dtype=np.uint8)


def _clock(index: int) -> Picture:
    """A still picture with a small thing in a corner that changes every second."""
    picture = _still(index).copy()
    hand = index // RATE * 12 % 60
    picture[8:32, 8 + hand : 32 + hand] = 255
    return picture


def _camera(index: int) -> Picture:
    """A still picture as a quiet camera sees it."""
    noise = np.random.default_rng(index).normal(0, 3, (HEIGHT, WIDTH, 1))
    return np.clip(_still(index) + noise, 0, 255).astype(np.uint8)


PICTURES: dict[str, Callable[[int], Picture]] = {"black": _black, "still": _still, "clock": _clock, "camera": _camera}
ENCODERS = {
    "libx264": {"preset": "ultrafast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:open-gop=0"},
    "libsvtav1": {"preset": "12", "svtav1-params": "pred-struct=1:tune=0"},
}
VOLUMES = {"silence": 0.0, "whisper": 0.01, "tone": 0.5}


@lru_cache
def scene(picture: str, sound: str, seconds: int = 8, codec: str = "libx264") -> tuple[MediaTag, ...]:
    """No picture, or no sound, with an empty name."""
    file = io.BytesIO()
    container = av.open(file, "w", format="flv")
    video = _video(container, codec) if picture else None
    audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono") if sound else None
    samples = 0
    for index in range(seconds * RATE):
        if video:
            frame = av.VideoFrame.from_ndarray(PICTURES[picture](index), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(video.encode(frame))
        while audio and samples < (index + 1) * SAMPLE_RATE // RATE:
            wave = VOLUMES[sound] * np.sin(2 * np.pi * 440 * (samples + np.arange(SAMPLES)) / SAMPLE_RATE)
            tone = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format="fltp", layout="mono")
            tone.sample_rate, tone.pts, tone.time_base = SAMPLE_RATE, samples, Fraction(1, SAMPLE_RATE)
            container.mux(audio.encode(tone))
            samples += SAMPLES
    for stream in (video, audio):
        if stream:
            container.mux(stream.encode(None))
    container.close()
    return tuple(read_flv(file.getvalue()))


def _video(container: OutputContainer, codec: str) -> VideoStream:
    video = container.add_stream(codec, rate=RATE, options=ENCODERS[codec])
    assert isinstance(video, VideoStream)
    video.width, video.height, video.pix_fmt, video.gop_size = WIDTH, HEIGHT, "yuv420p", GOP
    if codec != "libsvtav1":  # its low delay knows no variable bit rate
        video.bit_rate = 500_000
    return video


def pictures(tags: tuple[MediaTag, ...]) -> tuple[VideoParameters, list[memoryview]]:
    """The keyframes."""
    units = [read_video(tag.payload) for tag in tags if tag.kind == "video"]
    parameters = next(_READERS[unit.codec](unit.record) for unit in units if isinstance(unit, VideoConfig))
    return parameters, [unit.data for unit in units if isinstance(unit, VideoFrame) and unit.keyframe]


def sounds(tags: tuple[MediaTag, ...]) -> tuple[AudioParameters, list[memoryview]]:
    units = [read_audio(tag.payload) for tag in tags if tag.kind == "audio"]
    parameters = next(read_aac(unit.record) for unit in units if isinstance(unit, AudioConfig))
    return parameters, [unit.data for unit in units if isinstance(unit, AudioFrame)]

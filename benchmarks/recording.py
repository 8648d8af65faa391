"""A short real encode, kept as FLV tags, that load publishers repeat for as long as they like."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np

FPS = 30
SAMPLE_RATE = 48_000
GOP_S = 2
AUDIO_FRAME = 1024
FLV_HEADER = 13
TAG_HEADER = 11
TAG_TRAILER = 4


class FlvTag(NamedTuple):
    """One FLV tag: type (8 audio, 9 video, 18 data), timestamp in ms, body."""

    type: int
    timestamp_ms: int
    body: bytes


def record(seconds: int, seed: int, width: int = 1280, height: int = 720, kbps: int = 2_500) -> list[FlvTag]:
    """The tags of `film`."""
    return read_tags(film(seconds, seed, width, height, kbps))


def film(seconds: int, seed: int, width: int, height: int, kbps: int) -> bytes:
    """An FLV file of noise drifting over a gradient with a tone: H.264 (zerolatency, 2 s GOP) and AAC."""
    target = io.BytesIO()
    with av.open(target, "w", format="flv") as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt, video.bit_rate = width, height, "yuv420p", kbps * 1000
        video.options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(FPS * GOP_S), "sc_threshold": "0"}
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        audio.bit_rate = 128_000
        noise = np.random.default_rng(seed).integers(0, 256, (height, width * 2), dtype=np.uint8) // 4
        base = np.linspace(0, 160, width, dtype=np.uint8)[None, :]
        written = 0
        for number in range(seconds * FPS):
            luma = base + noise[:, number * 4 % width :][:, :width]
            planes = np.concatenate([luma.reshape(-1), np.full(width * height // 2, 128, np.uint8)])
            picture = av.VideoFrame.from_ndarray(planes.reshape(height * 3 // 2, width), format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(picture))
            while written < (number + 1) * SAMPLE_RATE // FPS:
                container.mux(audio.encode(_tone(written)))
                written += AUDIO_FRAME
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return target.getvalue()


def _tone(start: int) -> av.AudioFrame:
    wave = 0.1 * np.sin(2 * np.pi * 440 * (start + np.arange(AUDIO_FRAME)) / SAMPLE_RATE)
    frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]).astype(np.float32), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
    return frame


def read_tags(flv: bytes) -> list[FlvTag]:
    """The tags of an FLV file."""
    tags, at = [], FLV_HEADER
    while at + TAG_HEADER <= len(flv):
        size = int.from_bytes(flv[at + 1 : at + 4], "big")
        stamp = int.from_bytes(flv[at + 4 : at + 7], "big") | flv[at + 7] << 24
        body = flv[at + TAG_HEADER : at + TAG_HEADER + size]
        tags.append(FlvTag(flv[at], stamp, body))
        at += TAG_HEADER + size + TAG_TRAILER
    return tags

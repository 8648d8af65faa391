"""Encodes the test picture and a tone for real and publishes them over RTMP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from ingest.demo.picture import Pattern

_SAMPLE_RATE, _FRAME_SAMPLES = 48_000, 1024
_TONE_HZ = 440
_RETRY_S = (0.5, 1.0, 2.0, 5.0)
_TIMEOUT_S = 5.0
_STEADY_S = 10.0
"""A connection that lasted this long starts the waits between attempts anew."""


@dataclass(frozen=True)
class Footage:
    """What is published."""

    width: int = 1280
    height: int = 720
    frame_rate: int = 30
    gop_s: float = 2.0
    video_kbps: int = 2_500
    audio_kbps: int = 128


def publish(
    url: str,
    footage: Footage,
    stopped: threading.Event,
    say: Callable[[str], None],
    seconds: float | None = None,
) -> bool:
    """Publish until stopped or for that many seconds, connecting again whenever the connection breaks.

    Returns whether anything was published.
    """
    ends_at = None if seconds is None else time.monotonic() + seconds
    attempt, published = 0, False
    while not stopped.is_set() and (ends_at is None or time.monotonic() < ends_at):
        began_at = time.monotonic()
        try:
            for frames in _stream(url, footage, stopped, ends_at):
                if frames == 1:
                    say("publishing")
                published = True
        except OSError as error:
            if time.monotonic() - began_at > _STEADY_S:
                attempt = 0
            wait_s = _RETRY_S[min(attempt, len(_RETRY_S) - 1)]
            attempt += 1
            say(f"not connected ({error.strerror or error}); trying again in {wait_s:g} s")
            stopped.wait(wait_s)
    return published


def _stream(url: str, footage: Footage, stopped: threading.Event, ends_at: float | None) -> Iterator[int]:
    """One connection: yields the number of frames sent, after each."""
    with av.open(url, "w", format="flv", timeout=_TIMEOUT_S) as container:
        video = _add_video(container, footage)
        audio = container.add_stream("aac", rate=_SAMPLE_RATE, layout="stereo")
        audio.bit_rate = footage.audio_kbps * 1000
        picture = Pattern(footage.width, footage.height)
        began_at, samples, frames = time.monotonic(), 0, 0
        while not stopped.is_set() and (ends_at is None or time.monotonic() < ends_at):
            stopped.wait(max(0.0, began_at + frames / footage.frame_rate - time.monotonic()))
            drawn = picture.draw(frames, round(time.time() * 1000))
            frame = av.VideoFrame.from_ndarray(drawn, format="yuv420p")
            frame.pts, frame.time_base = frames, Fraction(1, footage.frame_rate)
            container.mux(video.encode(frame))
            frames += 1
            while samples < frames * _SAMPLE_RATE // footage.frame_rate:
                container.mux(audio.encode(_tone(samples)))
                samples += _FRAME_SAMPLES
            yield frames
        for stream in (video, audio):
            container.mux(stream.encode(None))


def _add_video(container: OutputContainer, footage: Footage) -> VideoStream:
    video = container.add_stream("libx264", rate=footage.frame_rate)
    video.width, video.height, video.pix_fmt = footage.width, footage.height, "yuv420p"
    video.bit_rate = footage.video_kbps * 1000
    video.gop_size = round(footage.gop_s * footage.frame_rate)
    video.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "sc_threshold": "0",
        "maxrate": f"{footage.video_kbps}k",
        "bufsize": f"{footage.video_kbps // 2}k",
        "threads": "1",
    }
    return video


def _tone(start: int) -> av.AudioFrame:
    """A tone that beeps for a tenth of each second."""
    at = (start + np.arange(_FRAME_SAMPLES)) / _SAMPLE_RATE
    wave = np.where(at % 1.0 < 0.1, 0.2, 0.02) * np.sin(2 * np.pi * _TONE_HZ * at)
    frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]).astype(np.float32), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = _SAMPLE_RATE, start, Fraction(1, _SAMPLE_RATE)
    return frame

"""Real encodes as FLV tags, and how tests look at what came of them."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from ingest.hls.backlog import WindowLimits
from ingest.hls.playback import AUDIO, SOURCE, Playback
from ingest.hls.registry import Registry
from ingest.hls.shelf import Slice
from ingest.hls.window import Window
from ingest.media.became import Became
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from ingest.media.tag import MediaTag

NOW_S = 1_790_000_000.0
_KINDS = {8: "audio", 9: "video", 18: "data"}


@lru_cache
def record(
    seconds: float = 6,
    rate: Fraction = Fraction(30),
    gop: int = 60,
    *,
    video: str = "libx264",
    audio: bool = True,
    size: tuple[int, int] = (320, 180),
    b_frames: int = 0,
    pixels: str = "yuv420p",
) -> tuple[MediaTag, ...]:
    """A moving picture and a tone, encoded for real, as an RTMP publisher would send it. No `video` with ""."""
    file = io.BytesIO()
    container = av.open(file, "w", format="flv", options={"flvflags": "no_duration_filesize"})
    picture = _add_picture(container, video, rate, gop, size, b_frames, pixels) if video else None
    sound = container.add_stream("aac", rate=48_000, layout="stereo") if audio else None
    samples = 0
    for index in range(round(seconds * rate)):
        if picture:
            frame = av.VideoFrame.from_ndarray(_picture(index, size), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1) / rate
            container.mux(picture.encode(frame))
        while sound and samples < (index + 1) / rate * 48_000:
            container.mux(sound.encode(_tone(samples)))
            samples += 1024
    for stream in (picture, sound):
        if stream:
            container.mux(stream.encode(None))
    container.close()
    return tuple(read_flv(file.getvalue()))


def _add_picture(
    container: OutputContainer,
    codec: str,
    rate: Fraction,
    gop: int,
    size: tuple[int, int],
    b_frames: int,
    pixels: str,
) -> VideoStream:
    if codec == "libsvtav1":
        options = {"preset": "12", "svtav1-params": "pred-struct=1:tune=0"}
    else:
        options = {"preset": "ultrafast", "bf": str(b_frames), "sc_threshold": "0", "x265-params": "log-level=none"}
    picture = container.add_stream(codec, rate=rate, options=options)
    assert isinstance(picture, VideoStream)
    picture.width, picture.height, picture.pix_fmt = *size, pixels
    picture.gop_size = gop
    return picture


def read_flv(data: bytes) -> Iterator[MediaTag]:
    """The tags of an FLV file."""
    at = 13
    while at + 11 <= len(data):
        size = int.from_bytes(data[at + 1 : at + 4], "big")
        timestamp = int.from_bytes(data[at + 4 : at + 7], "big") | data[at + 7] << 24
        yield MediaTag(_KINDS[data[at]], timestamp, data[at + 11 : at + 11 + size])  # type: ignore[arg-type]
        at += 11 + size + 4


def shifted(tags: Iterable[MediaTag], by_ms: int) -> list[MediaTag]:
    return [tag._replace(timestamp_ms=tag.timestamp_ms + by_ms) for tag in tags]


def is_frame(tag: MediaTag) -> bool:
    """Neither metadata, nor a sequence header, nor the end of a sequence."""
    if tag.kind == "data":
        return False
    enhanced = tag.kind == "video" and tag.payload[0] & 0x80
    return (tag.payload[0] & 0x0F if enhanced else tag.payload[1]) in ((1, 3) if enhanced else (1,))


def is_keyframe(tag: MediaTag) -> bool:
    return tag.kind == "video" and is_frame(tag) and tag.payload[0] & 0x70 == 0x10


NO_DISK = WindowLimits(unstored_s=7200.0)
"""Nobody has segments stored that are published faster than time passes."""


def push_all(live: LiveStream, tags: Iterable[MediaTag], start_s: float = NOW_S) -> list[Became]:
    """As if each tag arrived when its timestamp says."""
    return [became for tag in tags for became in live.push(tag, start_s + tag.timestamp_ms / 1000)]


def publish(directory: Path, tags: Iterable[MediaTag], settings: MediaSettings | None = None) -> Playback:
    """The closed playback of one stream."""
    registry = Registry(directory, NO_DISK)
    live = LiveStream("stream", "channel", settings or MediaSettings(), registry)
    push_all(live, tags)
    live.close()
    playback = registry.find("stream")
    assert playback
    return playback


def media_bytes(found: bytes | Slice | None) -> bytes:
    assert found is not None
    return found.read() if isinstance(found, Slice) else found


def source(playback: Playback) -> Window:
    return _window(playback, SOURCE)


def audio(playback: Playback) -> Window:
    return _window(playback, AUDIO)


def _window(playback: Playback, name: str) -> Window:
    window = playback.window(name)
    assert window
    return window


def whole(window: Window, init: int = 0) -> bytes:
    """The init segment and everything that is listed behind it."""
    segments = [media_bytes(window.segment(entry.number)) for entry in window.entries() if entry.init == init]
    return b"".join([window.init(init) or b"", *segments])


def packets(data: bytes, kind: Literal["video", "audio"]) -> list[Packet[Any]]:
    """Each packet of a track, as libavformat reads it."""
    with av.open(io.BytesIO(data), "r") as container:
        track = next(stream for stream in container.streams if stream.type == kind)
        return [packet for packet in container.demux(track) if packet.size]


def decode_times(data: bytes, kind: Literal["video", "audio"]) -> list[int]:
    return [packet.dts for packet in packets(data, kind) if packet.dts is not None]


def decoded(data: bytes, kind: Literal["video", "audio"]) -> int:
    """The number of frames of a track that decode; a broken one raises."""
    with av.open(io.BytesIO(data), "r") as container:
        track = next(stream for stream in container.streams if stream.type == kind)
        track.codec_context.options = {"err_detect": "explode"}
        return sum(1 for _ in container.decode(track))


def ffmpeg_complaints(data: bytes) -> str:
    """What the ffmpeg program says while it decodes all of a file; empty when nothing is wrong."""
    command = ["ffmpeg", "-v", "warning", "-xerror", "-i", "pipe:0", "-f", "null", "-"]
    return subprocess.run(command, input=data, capture_output=True, check=False).stderr.decode()


def _picture(index: int, size: tuple[int, int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    width, height = size
    rows = np.arange(height, dtype=np.uint16)[:, None, None]
    columns = np.arange(width, dtype=np.uint16)[None, :, None]
    return ((rows + columns + index * 4 + np.array([0, 85, 170], dtype=np.uint16)) % 256).astype(np.uint8)


def _tone(start: int) -> av.AudioFrame:
    wave = 0.2 * np.sin(2 * np.pi * 440 * (start + np.arange(1024)) / 48_000)
    tone = av.AudioFrame.from_ndarray(np.stack([wave, wave]).astype(np.float32), format="fltp", layout="stereo")
    tone.sample_rate, tone.pts, tone.time_base = 48_000, start, Fraction(1, 48_000)
    return tone

"""Real encodes as FLV tags, and how tests look at what came of them."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from ingest.hls.playback import Playback
from ingest.hls.registry import Registry
from ingest.hls.shelf import Slice
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
) -> tuple[MediaTag, ...]:
    """A moving picture and a tone, encoded for real, as an RTMP publisher would send it. No `video` with ""."""
    file = io.BytesIO()
    container = av.open(file, "w", format="flv", options={"flvflags": "no_duration_filesize"})
    picture = _add_picture(container, video, rate, gop, size, b_frames) if video else None
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
    container: OutputContainer, codec: str, rate: Fraction, gop: int, size: tuple[int, int], b_frames: int
) -> VideoStream:
    options = {"preset": "ultrafast", "bf": str(b_frames), "sc_threshold": "0", "x265-params": "log-level=none"}
    picture = container.add_stream(codec, rate=rate, options=options)
    assert isinstance(picture, VideoStream)
    picture.width, picture.height, picture.pix_fmt = *size, "yuv420p"
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


def is_header(tag: MediaTag) -> bool:
    """A sequence header or metadata."""
    return tag.kind == "data" or tag.payload[1] == 0 or tag.payload[0] & 0x8F == 0x80


def push_all(live: LiveStream, tags: Iterable[MediaTag], start_s: float = NOW_S) -> list[Became]:
    """As if each tag arrived when its timestamp says."""
    return [became for tag in tags for became in live.push(tag, start_s + tag.timestamp_ms / 1000)]


def publish(directory: Path, tags: Iterable[MediaTag], settings: MediaSettings | None = None) -> Playback:
    """The closed playback of one stream."""
    registry = Registry(directory)
    live = LiveStream("stream", "channel", settings or MediaSettings(), registry)
    push_all(live, tags)
    live.close()
    playback = registry.find("stream")
    assert playback
    return playback


def media_bytes(found: bytes | Slice | None) -> bytes:
    assert found is not None
    return found.read() if isinstance(found, Slice) else found


def whole(playback: Playback, init: int = 0) -> bytes:
    """The init segment and everything that is listed behind it."""
    entries = playback._entries()
    segments = [media_bytes(playback.segment(entry.number)) for entry in entries if entry.init == init]
    return b"".join([playback.init(init) or b"", *segments])


def probe(data: bytes, *options: str) -> dict[str, Any]:
    """What ffprobe says of a file, which must not complain."""
    command = ["ffprobe", "-v", "error", "-of", "json", *options, "pipe:0"]
    run = subprocess.run(command, input=data, capture_output=True, check=True)
    assert not run.stderr, run.stderr.decode()
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def packets(data: bytes, kind: str) -> list[dict[str, Any]]:
    """Each packet of the video (`v`) or the audio (`a`), as ffprobe reads it."""
    found: list[dict[str, Any]] = probe(data, "-select_streams", kind, "-show_packets")["packets"]
    return found


def decode_errors(data: bytes) -> str:
    """What ffmpeg complains of when it decodes every frame; empty when nothing is wrong."""
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

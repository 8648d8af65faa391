"""Decoding as little as tells whether there is something to see and to hear."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

SILENCE_DBFS = -120.0
PIXELS_MAX = 4096 * 2304
"""Larger pictures are not decoded."""
KEYFRAME_MAX = 2 << 20
"""Bytes; larger ones are not decoded."""

_DECODERS = {b"avc1": "h264", b"hvc1": "hevc", b"av01": "libdav1d"}
"""By sample entry; other pictures are not looked into."""
_WIDTH, _HEIGHT = 64, 36
_BRIGHTER_SHARE = 98
_MOST_CHANGED = _WIDTH * _HEIGHT // 100
_FULL_SCALE = {"s16": 1 << 15, "s32": 1 << 31}

Thumbnail = np.ndarray[Any, np.dtype[np.uint8]]


def thumbnail(entry: bytes, record: bytes, keyframe: bytes | memoryview) -> Thumbnail | None:
    """The brightness of points all over the picture, 0 to 255; None when it cannot be decoded."""
    codec = _DECODERS.get(entry)
    if codec is None or len(keyframe) > KEYFRAME_MAX:
        return None
    options = {"max_pixels": str(PIXELS_MAX), "skip_loop_filter": "all"}
    try:
        decoder = cast(VideoCodecContext, av.CodecContext.create(codec, "r"))
        decoder.extradata, decoder.options, decoder.thread_count = record, options, 1
        for packet in (av.Packet(bytes(keyframe)), None):
            for picture in decoder.decode(packet):
                points = picture.reformat(_WIDTH, _HEIGHT, "gray", interpolation="POINT").to_ndarray()
                return np.asarray(points, dtype=np.uint8)
    except (av.FFmpegError, ValueError):
        pass
    return None


def brightness(picture: Thumbnail) -> float:
    """2 % of the picture are brighter than this."""
    return round(float(np.percentile(picture, _BRIGHTER_SHARE)), 1)


def change(before: Thumbnail, after: Thumbnail) -> float:
    """Mean difference of the 1 % of two pictures that differ most, in steps of 255: a clock in a corner shows."""
    differences = np.sort(np.abs(after.astype(np.int16) - before.astype(np.int16)), axis=None)
    return round(float(np.mean(differences[-_MOST_CHANGED:])), 2)


def loudness_dbfs(record: bytes, frames: Sequence[bytes | memoryview]) -> float | None:
    """Root mean square of consecutive AAC frames; None when they cannot be decoded.

    The first one is left out: it overlaps with one that is not there.
    """
    squares, samples = 0.0, 0
    try:
        decoder = av.CodecContext.create("aac", "r")
        decoder.extradata = record
        for index, frame in enumerate(frames):
            for sound in decoder.decode(av.Packet(bytes(frame))):
                wave = sound.to_ndarray().astype(np.float64) / _FULL_SCALE.get(sound.format.packed.name, 1)
                if index:
                    squares += float(np.sum(np.square(wave)))
                    samples += wave.size
    except (av.FFmpegError, ValueError):
        return None
    if not samples:
        return None
    return max(round(10 * math.log10(squares / samples), 1), SILENCE_DBFS) if squares > 0 else SILENCE_DBFS

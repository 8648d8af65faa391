"""What no encoder can make small."""

from __future__ import annotations

import io
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
from av.video.stream import VideoStream

from ingest.media.tag import MediaTag
from tests.ingest.media.footage import read_flv


@lru_cache
def noise() -> tuple[MediaTag, ...]:
    """Three seconds of a picture of noise, a little over 50 Mbit/s."""
    file = io.BytesIO()
    container = av.open(file, "w", format="flv", options={"flvflags": "no_duration_filesize"})
    picture = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "qp": "28"})
    assert isinstance(picture, VideoStream)
    picture.width, picture.height, picture.pix_fmt, picture.gop_size = 640, 360, "yuv420p", 60
    random = np.random.default_rng(1)
    for index in range(90):
        pixels = random.integers(0, 256, (540, 640), dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, 30)
        container.mux(picture.encode(frame))
    container.mux(picture.encode(None))
    container.close()
    return tuple(tag for tag in read_flv(file.getvalue()) if tag.payload[:2] != b"\x17\x02")

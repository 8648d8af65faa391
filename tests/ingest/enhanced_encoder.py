"""`python -m tests.ingest.enhanced_encoder URL VIDEO SOUND...`: publish with libavformat's own Enhanced RTMP.

In a process of its own, since PyAV holds the interpreter while it connects.
"""

from __future__ import annotations

import sys
from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

SIZE = (320, 180)
FRAMES = 90
SAMPLES = 1600
"""Of 48 kHz sound, as long as a frame of 30 a second."""


def publish(url: str, video: str, sounds: list[str]) -> None:
    """Three seconds at once. Raises av.FFmpegError when the server ends the connection."""
    with av.open(url, "w", format="flv", options={"rtmp_enhanced_codecs": "hvc1,av01,Opus,fLaC,vp09"}) as container:
        options = (
            {"preset": "12", "svtav1-params": "pred-struct=1"} if video == "libsvtav1" else {"preset": "ultrafast"}
        )
        picture = container.add_stream(video, rate=30, options=options)
        assert isinstance(picture, VideoStream)
        picture.width, picture.height, picture.pix_fmt, picture.gop_size = *SIZE, "yuv420p", 30
        tracks = [container.add_stream(codec, rate=48_000, layout="stereo") for codec in sounds]
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(np.full((SIZE[1] * 3 // 2, SIZE[0]), index, np.uint8), format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 30)
            container.mux(picture.encode(frame))
            for track in tracks:
                assert isinstance(track, AudioStream)
                container.mux(track.encode(silence(index, track.format.name)))
        for stream in (picture, *tracks):
            container.mux(stream.encode(None))  # type: ignore[union-attr]


def silence(index: int, form: str) -> av.AudioFrame:
    frame = av.AudioFrame(format=form, layout="stereo", samples=SAMPLES)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate, frame.pts, frame.time_base = 48_000, index * SAMPLES, Fraction(1, 48_000)
    return frame


if __name__ == "__main__":
    publish(sys.argv[1], sys.argv[2], sys.argv[3:])

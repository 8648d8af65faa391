"""One rung's encoder."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import av.logging
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import VideoReformatter

from ingest.ladder import annexb
from ingest.ladder.rungs import Rung

ENCODERS = {
    "libx264": {
        "preset": "superfast",
        "tune": "zerolatency",
        "forced-idr": "1",
        "x264-params": "scenecut=0:keyint=infinite",
    },
    "h264_nvenc": {"preset": "p3", "tune": "ull", "forced-idr": "1", "rc": "cbr", "delay": "0", "bf": "0"},
}
"""Options of each encoder that makes no B-frames, holds no picture back and obeys where keyframes are wanted.

No h264_vaapi: PyAV's FFmpeg is built without it.
"""

_GOP_MAX = 1 << 20
_BUFFER_S = 1.0


def require(encoder: str) -> None:
    """Raises ValueError, saying what to do, when this machine has no such encoder. For a process of its own."""
    if encoder not in ENCODERS:
        raise ValueError(f"the ladder cannot use {encoder!r}; set ladder_encoder to one of {', '.join(ENCODERS)}")
    av.logging.set_level(av.logging.ERROR)  # what an encoder logs is the reason, its error a mere number
    rung = Rung("test", 320, 240, 30.0, 1, 300)
    try:
        picture = VideoFrame(320, 240, "yuv420p")
        picture.pts, picture.time_base = 0, Fraction(1, 90_000)
        trial = RungEncoder(rung, encoder, 90_000)
        list(trial.encode(trial.scale(picture), keyframe=True))
    except (av.FFmpegError, ValueError) as error:
        _, logged = av.logging.get_last_error()
        reason = logged[2].strip() if logged else str(error)
        raise ValueError(f"{encoder} does not work here ({reason}); set ladder_encoder to libx264") from error


class RungEncoder:
    """Pictures in, length-prefixed access units out. Its threads are the caller's."""

    def __init__(self, rung: Rung, encoder: str, timescale: int) -> None:
        self._rung = rung
        self._scaler = VideoReformatter()
        self._time_base = Fraction(1, timescale)
        context = av.CodecContext.create(encoder, "w")
        if not isinstance(context, VideoCodecContext):
            raise ValueError(f"{encoder} encodes no video")
        context.width, context.height, context.pix_fmt = rung.width, rung.height, "yuv420p"
        context.time_base = self._time_base
        context.framerate = Fraction(rung.frame_rate).limit_denominator(1001)
        context.bit_rate = rung.kbps * 1000
        context.gop_size = _GOP_MAX
        context.max_b_frames = 0
        context.thread_count = 1
        peak = str(round(rung.kbps * 1000 * 1.1))
        context.options = {**ENCODERS[encoder], "maxrate": peak, "bufsize": str(round(rung.kbps * 1000 * _BUFFER_S))}
        self._context = context
        self.record = b""
        """The decoder's configuration (avcC), known with the first access unit."""

    def scale(self, picture: VideoFrame) -> VideoFrame:
        """A picture of the rung's size; the same object when it has that size already."""
        width, height = self._rung.width, self._rung.height
        scaled = self._scaler.reformat(picture, width, height, "yuv420p", interpolation="BILINEAR")
        scaled.pts, scaled.time_base = picture.pts, self._time_base
        return scaled

    def encode(self, scaled: VideoFrame, keyframe: bool) -> Iterator[tuple[int, bool, bytes]]:
        """The picture's pts, whether it is a keyframe, and its access unit."""
        scaled.pict_type = PictureType.I if keyframe else PictureType.NONE
        for packet in self._context.encode(scaled):
            nal_units = list(annexb.units(bytes(packet)))
            if packet.is_keyframe:
                self.record = annexb.configuration(nal_units) or self.record
            yield packet.pts or 0, packet.is_keyframe, annexb.length_prefixed(nal_units)

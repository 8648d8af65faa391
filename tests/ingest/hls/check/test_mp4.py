"""Init segments and fragments of real encoders, and what is broken in them."""

from __future__ import annotations

import io
from contextlib import suppress
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from hypothesis import given
from hypothesis import strategies as st

from ingest.hls.check.codecs import same_codec
from ingest.hls.check.facts import Kind
from ingest.hls.check.mp4 import Init, Mp4Error, read_fragments, read_init
from tests.ingest.hls.check.good import NAMES, Spoiled, facts, part_bytes


def fragmented(codec: str, seconds: int = 4) -> tuple[bytes, bytes]:
    """A picture and a tone by libavformat: init segment and the fragments behind it."""
    file = io.BytesIO()
    flags = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    with av.open(file, "w", format="mp4", options=flags) as container:
        options = {"preset": "ultrafast", "x265-params": "log-level=none", "sc_threshold": "0"}
        picture = container.add_stream(codec, rate=25, options=options)
        assert isinstance(picture, VideoStream)
        picture.width, picture.height, picture.pix_fmt, picture.gop_size = 320, 180, "yuv420p", 50
        sound = container.add_stream("aac", rate=48_000, layout="stereo")
        for index in range(25 * seconds):
            frame = av.VideoFrame.from_ndarray(np.zeros((270, 320), np.uint8), format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(picture.encode(frame))
        for index in range(48_000 * seconds // 1024):
            tone = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
            tone.sample_rate, tone.pts, tone.time_base = 48_000, index * 1024, Fraction(1, 48_000)
            container.mux(sound.encode(tone))
        for stream in (picture, sound):
            container.mux(stream.encode(None))
    data = file.getvalue()
    cut = data.index(b"moof") - 4
    return data[:cut], data[cut : data.index(b"mfra") - 4]


@pytest.mark.parametrize(("encoder", "codec"), [("libx264", "avc1.42c00c"), ("libx265", "hev1.1.6.L60.90")])
def test_the_tracks_of_real_media_are_known(encoder: str, codec: str) -> None:
    head, body = fragmented(encoder)
    init = read_init(head)
    video, audio = init.tracks
    assert (video.handler, video.codec, video.width, video.height) == ("vide", codec, 320, 180)
    assert (audio.handler, audio.codec, audio.timescale) == ("soun", "mp4a.40.2", 48_000)
    runs = [run for fragment in read_fragments(body, init) for run in fragment.runs if run.track == video.number]
    with av.open(io.BytesIO(head + body), "r") as container:
        packets = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
    assert [each for run in runs for each in run.durations] == [packet.duration for packet in packets]
    assert [each for run in runs for each in run.sync] == [packet.is_keyframe for packet in packets]
    assert [run.sync[0] for run in runs] == [True] * len(runs)
    ends = [0, *(run.end for run in runs)]
    assert [run.decode_time for run in runs] == ends[:-1]


@pytest.mark.parametrize(
    ("stated", "found", "same"),
    [
        ("avc1.64001F", "avc1.64001f", True),
        ("avc1.64001f", "avc1.640020", False),
        ("av01.0.08M.08.0.110.01.01.01.0", "av01.0.08M.08", True),
        ("mp4a.40.2", "mp4a.40.2", True),
        ("mp4a.40.2", "mp4a.40.29", False),
    ],
)
def test_codec_strings_are_compared_by_their_fields(stated: str, found: str, same: bool) -> None:
    assert same_codec(stated, found) is same


def test_broken_media_say_what_is_broken() -> None:
    init = good_init()
    part = part_bytes(NAMES[0], 1, 0)
    cases = [
        b"",
        part[:-1],
        part[:100],
        part + b"\0\0\0",
        part.replace(b"mdat", b"free"),
        part.replace(b"moof", b"free"),
    ]
    for data in cases:
        with pytest.raises(Mp4Error):
            read_fragments(data, init)
    with pytest.raises(Mp4Error, match="not in the init segment"):
        read_fragments(part, Init(()))
    with pytest.raises(Mp4Error, match="moov"):
        read_init(part)


@given(st.data())
def test_any_byte_may_be_wrong(data: st.DataObject) -> None:
    init, part, head = good_init(), bytearray(part_bytes(NAMES[0], 1, 0)), bytearray(good_head())
    for content in (part, head):
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, min(len(content), 700) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Mp4Error):
        read_fragments(bytes(part), init)
    with suppress(Mp4Error):
        read_init(bytes(head))


@lru_cache
def good_head() -> bytes:
    rendition = facts(Spoiled()).renditions[0]
    return next(found.response.body for found in rendition.resources.values() if found.kind is Kind.INIT)


def good_init() -> Init:
    return read_init(good_head())

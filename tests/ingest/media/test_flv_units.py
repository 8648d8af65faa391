"""FLV tag bodies, plain and enhanced; what is not played is refused by its name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.became import RefusedMedia
from ingest.media.flv import AudioConfig, AudioFrame, VideoConfig, VideoFrame, read_audio, read_video


def test_avc_in_its_plain_form() -> None:
    assert read_video(b"\x17\x00\x00\x00\x00record") == VideoConfig("avc1", b"record")
    assert read_video(b"\x17\x01\x00\x00\x42nal") == VideoFrame(True, 0x42, memoryview(b"nal"))
    assert read_video(b"\x27\x01\xff\xff\xfenal") == VideoFrame(False, -2, memoryview(b"nal"))


def test_the_enhanced_form_names_its_codec() -> None:
    assert read_video(b"\x90hvc1record") == VideoConfig("hvc1", b"record")
    assert read_video(b"\x91hvc1\x00\x00\x07nal") == VideoFrame(True, 7, memoryview(b"nal"))
    assert read_video(b"\xa3avc1nal") == VideoFrame(False, 0, memoryview(b"nal"))
    assert read_audio(b"\x90mp4arecord") == AudioConfig(b"record")
    assert read_audio(b"\x91mp4aframe") == AudioFrame(memoryview(b"frame"))


def test_aac_in_its_plain_form() -> None:
    assert read_audio(b"\xaf\x00\x12\x10") == AudioConfig(b"\x12\x10")
    assert read_audio(b"\xaf\x01frame") == AudioFrame(memoryview(b"frame"))


@pytest.mark.parametrize(
    "body",
    [b"", b"\x17", b"\x57\x00\x00\x00\x00\x00", b"\x17\x02\x00\x00\x00", b"\x27\x01\x00\x00\x00", b"\x92hvc1abcd"],
)
def test_what_holds_no_picture_is_passed_over(body: bytes) -> None:
    assert read_video(body) is None


@pytest.mark.parametrize("body", [b"", b"\xaf\x01", b"\xaf\x02x", b"\x92mp4ax"])
def test_what_holds_no_sound_is_passed_over(body: bytes) -> None:
    assert read_audio(body) is None


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"\x90av01xxxx", "AV1"),
        (b"\x90vp09xxxx", "VP9"),
        (b"\x22\x00\x00\x00\x00", "Sorenson"),
        (b"\x90\xff\n\0!xx", "x"),
    ],
)
def test_other_video_is_refused_by_name(body: bytes, name: str) -> None:
    with pytest.raises(RefusedMedia, match=name) as refused:
        read_video(body)
    assert refused.value.code == "unsupported_codec"


@pytest.mark.parametrize(
    ("body", "name"), [(b"\x2f\xff\xfb", "MP3"), (b"\xb6\x00\x00", "Speex"), (b"\x90Opusx", "Opus")]
)
def test_other_audio_is_refused_by_name(body: bytes, name: str) -> None:
    with pytest.raises(RefusedMedia, match=name):
        read_audio(body)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_unit_nothing_or_refused(body: bytes) -> None:
    for read in (read_video, read_audio):
        try:
            read(body)
        except RefusedMedia as refused:
            assert refused.message.isprintable()

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


def test_av1_is_taken_without_its_temporal_delimiters() -> None:
    assert read_video(b"\x90av01record") == VideoConfig("av01", b"record")
    assert read_video(b"\x91av01\x12\x00\x32\x01x") == VideoFrame(True, 0, memoryview(b"\x32\x01x"))
    assert read_video(b"\xa3av01\x12\x00\x12\x00\x32\x01x") == VideoFrame(False, 0, memoryview(b"\x32\x01x"))
    assert read_video(b"\xa3av01\x32\x01x") == VideoFrame(False, 0, memoryview(b"\x32\x01x"))


@pytest.mark.parametrize("unit", [b"\x12\x00", b"\x12\x05x", b"\x12\xff\xff"])
def test_an_av1_unit_of_delimiters_alone_is_passed_over(unit: bytes) -> None:
    assert read_video(b"\x91av01" + unit) is None


NANOSECONDS = b"\x02\x00\x01\xf4"
"""A ModEx packet's size, 3 bytes, and 500 ns."""


def test_nanosecond_offsets_in_front_of_a_unit_are_tolerated() -> None:
    assert read_video(b"\x97" + NANOSECONDS + b"\x01hvc1\x00\x00\x07nal") == VideoFrame(True, 7, memoryview(b"nal"))
    assert read_audio(b"\x97" + NANOSECONDS + b"\x01mp4aframe") == AudioFrame(memoryview(b"frame"))
    twice = b"\xa7" + NANOSECONDS + b"\x07" + NANOSECONDS + b"\x03avc1nal"
    assert read_video(twice) == VideoFrame(False, 0, memoryview(b"nal"))
    long = b"\xa7\xff\x01\x2b" + bytes(300) + b"\x03avc1nal"
    assert read_video(long) == VideoFrame(False, 0, memoryview(b"nal"))


@pytest.mark.parametrize("body", [b"\xa7\xff\xff\xffxxxx", b"\xa7\x02xxx", b"\xa7\x10xxx"])
def test_a_mod_ex_packet_that_is_cut_short_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedMedia, match="ModEx") as refused:
        read_video(body)
    assert refused.value.code == "bad_enhanced_header"


@pytest.mark.parametrize("tracks", [0x00, 0x10, 0x20], ids=["one track", "many tracks", "many codecs"])
def test_multitrack_is_refused_by_name(tracks: int) -> None:
    with pytest.raises(RefusedMedia) as refused:
        read_audio(b"\x95" + bytes([tracks]) + b"mp4a\x00frame")
    assert refused.value.message == "multitrack audio is not supported; send one audio track"
    with pytest.raises(RefusedMedia) as refused:
        read_video(b"\x96" + bytes([tracks]) + b"avc1\x00frame")
    assert refused.value.message == "multitrack video is not supported; send one video track"


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"\x95av01xxxx", "AV1 with an MPEG-2 TS"),
        (b"\x90vp09xxxx", "VP9 video is not supported; send H.264, HEVC or AV1"),
        (b"\x90vvc1xxxx", "VVC"),
        (b"\x22\x00\x00\x00\x00", "Sorenson"),
        (b"\x90\xff\n\0!xx", "x"),
    ],
)
def test_other_video_is_refused_by_name(body: bytes, name: str) -> None:
    with pytest.raises(RefusedMedia, match=name) as refused:
        read_video(body)
    assert refused.value.code == "unsupported_codec"


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"\x2f\xff\xfb", "MP3"),
        (b"\xb6\x00\x00", "Speex"),
        (b"\x90Opusx", "Opus audio is not supported; send AAC"),
        (b"\x90fLaCx", "FLAC"),
        (b"\x90ac-3x", "AC-3"),
        (b"\x90ec-3x", "E-AC-3"),
    ],
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

"""Sequence headers of real encoders say what they should; damaged ones raise ValueError and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.aac import read_aac
from ingest.media.av1 import read_av1
from ingest.media.avc import read_avc
from ingest.media.bits import BitReader
from ingest.media.flv import VideoConfig, read_video
from ingest.media.hevc import read_hevc
from tests.ingest.media.footage import record

# From an encoder with High profile, scaling lists absent, cropped 1080 lines and timing.
HIGH_1080 = bytes.fromhex(
    "0164002affe1001b6764002aacd940780227e5c05a808080a0000003002000000781e30632c001000568ebecb22c"
)


def av1_record(bits: str) -> bytes:
    """An av1C body around a sequence header written as bits."""
    header = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    return bytes([0x81, 0x09, 0xC0, 0x00, 0x0A, len(header)]) + header


def video_config(codec: str, size: tuple[int, int], rate: int) -> VideoConfig:
    tags = record(0.5, Fraction(rate), video=codec, audio=False, size=size)
    return next(
        unit for tag in tags if tag.kind == "video" and isinstance(unit := read_video(tag.payload), VideoConfig)
    )


@pytest.mark.parametrize(("size", "rate"), [((320, 180), 30), ((426, 240), 25), ((640, 360), 60), ((1920, 1080), 24)])
def test_avc_says_its_size_and_rate(size: tuple[int, int], rate: int) -> None:
    parameters = read_avc(video_config("libx264", size, rate).record)
    assert (parameters.width, parameters.height) == size
    assert parameters.frame_rate == pytest.approx(rate)
    assert parameters.codec.startswith("avc1.42c0")


@pytest.mark.parametrize("size", [(320, 180), (1278, 718)])
def test_hevc_says_its_size(size: tuple[int, int]) -> None:
    parameters = read_hevc(video_config("libx265", size, 30).record)
    assert (parameters.width, parameters.height) == size
    assert parameters.codec.startswith("hvc1.1.6.L")


@pytest.mark.parametrize(("size", "level"), [((320, 180), "00"), ((1280, 720), "05")])
def test_av1_says_its_size(size: tuple[int, int], level: str) -> None:
    parameters = read_av1(video_config("libsvtav1", size, 30).record)
    assert (parameters.width, parameters.height) == size
    assert parameters.codec == f"av01.0.{level}M.08"
    assert (parameters.entry, parameters.config_box) == (b"av01", b"av1C")


# From an encoder with timing, a decoder model and an initial display delay: 1920x1080 at 60, 10 bits.
AV1_1080 = av1_record(
    "000" "0" "0"  # profile, still picture, reduced header
    "1" f"{1:032b}" f"{60:032b}" "1" "1"  # timing: equal intervals of one tick
    "1" "00100" f"{1:032b}" "00100" "00100"  # decoder model with delays of 5 bits
    "1" "00000"  # display delay, one operating point
    f"{0:012b}" "01001" "1"  # all layers, level 4.1, high tier
    "1" "00001" "00001" "0" "1" "0011"
    "1010" "1010" f"{1919:011b}" f"{1079:011b}"
)  # fmt: skip


def test_an_av1_header_with_everything_optional_is_read() -> None:
    parameters = read_av1(AV1_1080)
    assert (parameters.codec, parameters.width, parameters.height) == ("av01.0.09H.10", 1920, 1080)
    assert parameters.frame_rate == 60.0


def test_high_profile_with_cropping_is_read() -> None:
    parameters = read_avc(HIGH_1080)
    assert (parameters.codec, parameters.width, parameters.height) == ("avc1.64002a", 1920, 1080)


@pytest.mark.parametrize(
    ("record_hex", "codec", "rate", "channels", "samples"),
    [
        ("1190", "mp4a.40.2", 48_000, 2, 1024),
        ("1208", "mp4a.40.2", 44_100, 1, 1024),
        ("1194", "mp4a.40.2", 48_000, 2, 960),
        ("2b920800", "mp4a.40.5", 22_050, 2, 1024),
        ("17805dc010", "mp4a.40.2", 48_000, 2, 1024),
    ],
)
def test_aac_says_its_rate_and_channels(record_hex: str, codec: str, rate: int, channels: int, samples: int) -> None:
    parameters = read_aac(bytes.fromhex(record_hex))
    assert (parameters.codec, parameters.sample_rate) == (codec, rate)
    assert (parameters.channels, parameters.frame_samples) == (channels, samples)


@pytest.mark.parametrize(
    "record_", [b"", b"\x01\x64\x00\x2a\xff\xe1\x00\x00\x00", b"\x00" * 30, b"\x01" + b"\xff" * 60]
)
@pytest.mark.parametrize("read", [read_avc, read_hevc, read_av1])
def test_what_is_no_record_is_refused(read: Callable[[bytes], object], record_: bytes) -> None:
    with pytest.raises(ValueError, match=r"record|parameter set|lengths"):
        read(record_)


@given(st.binary(max_size=80), st.sampled_from([read_avc, read_hevc, read_av1, read_aac]))
def test_any_bytes_are_read_or_raise_value_error(data: bytes, read: Callable[[bytes], object]) -> None:
    try:
        read(data)
    except ValueError:
        return


@given(st.integers(0, 200), st.binary(min_size=1, max_size=3))
def test_a_damaged_record_is_read_or_raises_value_error(at: int, patch: bytes) -> None:
    readers = {"libx264": read_avc, "libx265": read_hevc, "libsvtav1": read_av1}
    for codec, read in readers.items():
        config = video_config(codec, (320, 180), 30)
        spot = at % len(config.record)
        damaged = config.record[:spot] + patch + config.record[spot + len(patch) :]
        try:
            read(damaged)
        except ValueError:
            continue


def test_exponential_golomb_codes() -> None:
    bits = BitReader(bytes([0b1_010_011_0, 0b0100_0010, 0b1_0000000]))
    assert [bits.unsigned() for _ in range(4)] == [0, 1, 2, 3]
    assert bits.signed() == -2

"""The clock in the picture can be read back after hard compression and scaling."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ingest.demo.clock import WRAP_MS, clock_row, latency_ms, read_clock, sample_clock
from ingest.demo.picture import Pattern

NOW_MS = 1_795_608_000_123


def compressed(pictures: list[NDArray[np.uint8]], kbps: int) -> list[av.VideoFrame]:
    """The pictures after an encode at this rate, and its decode."""
    height, width = pictures[0].shape[0] * 2 // 3, pictures[0].shape[1]
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30)
    encoder.bit_rate = kbps * 1000
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    decoder = av.CodecContext.create("h264", "r")
    frames: list[av.VideoFrame] = []
    for index, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = index
        for packet in encoder.encode(frame):
            frames += decoder.decode(packet)
    for packet in encoder.encode(None):
        frames += decoder.decode(packet)
    return frames + decoder.decode(None)


def luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    return frame.to_ndarray(format="gray8").astype(np.uint8, copy=False)


@given(st.integers(0, 1 << 45), st.integers(128, 2000))
def test_any_time_is_read_from_a_picture_of_any_width(unix_ms: int, width: int) -> None:
    picture = np.tile(clock_row(unix_ms, width), (64, 1))
    assert read_clock(sample_clock(picture)) == unix_ms % WRAP_MS


@pytest.mark.parametrize(("size", "kbps"), [((1280, 720), 300), ((640, 360), 100), ((320, 180), 50)])
def test_the_clock_survives_an_encode_at_a_low_bitrate(size: tuple[int, int], kbps: int) -> None:
    pattern = Pattern(*size)
    times = [NOW_MS + index * 33 for index in range(60)]
    frames = compressed([pattern.draw(index, time) for index, time in enumerate(times)], kbps)
    assert [read_clock(sample_clock(luma(frame))) for frame in frames] == [time % WRAP_MS for time in times]


def test_the_clock_survives_scaling_down() -> None:
    (frame,) = compressed([Pattern(1280, 720).draw(0, NOW_MS)], 500)
    small = frame.reformat(426, 240)
    assert read_clock(sample_clock(luma(small))) == NOW_MS % WRAP_MS


def test_a_picture_without_a_clock_reads_as_none() -> None:
    grey = np.full((180, 320), 128, dtype=np.uint8)
    assert read_clock(sample_clock(grey)) is None


@given(st.integers(0, WRAP_MS - 1), st.integers(2, 31))
def test_a_wrong_block_is_noticed(time: int, block: int) -> None:
    lumas = sample_clock(np.tile(clock_row(time, 640), (64, 1)))
    lumas[block] = 251 - lumas[block]
    assert read_clock(lumas) is None


@given(st.integers(0, 1 << 45), st.integers(-100_000, 100_000))
def test_the_latency_does_not_care_about_the_wrap(drawn_ms: int, late_ms: int) -> None:
    assert latency_ms(drawn_ms % WRAP_MS, drawn_ms + late_ms) == late_ms


def test_the_picture_moves_and_shows_the_time_for_people() -> None:
    pattern = Pattern(640, 360)
    first, second = pattern.draw(0, NOW_MS), pattern.draw(1, NOW_MS)
    assert (first != second).any()
    later = pattern.draw(0, NOW_MS + 1000)
    below_the_blocks = slice(360 // 16, 360)
    assert (first[below_the_blocks] != later[below_the_blocks]).any()

"""Keyframe distances, B-frames and rolling bitrates."""

from __future__ import annotations

import pytest

from ingest.health.gops import Gops
from ingest.health.rates import RollingRate
from ingest.media.fragment import Frame

SCALE = 90_000
TICKS = 3_000  # 30 frames a second


def frames(*keyframes: int, until: int) -> list[Frame]:
    """Frames 0 to `until`, keyframes where said."""
    return [Frame(index * TICKS, TICKS, memoryview(b""), index in keyframes) for index in range(until)]


def shown_in_order(*order: int) -> list[Frame]:
    """Frames in decode order with the places they are shown at, delayed as encoders do."""
    return [
        Frame(index * TICKS, TICKS, memoryview(b""), index == 0, (place - index + 2) * TICKS)
        for index, place in enumerate(order)
    ]


def test_regular_keyframes_have_one_distance() -> None:
    gops = Gops(SCALE)
    gops.add(frames(0, 60, 120, until=180))
    assert gops.segment() == pytest.approx((2.0, 2.0, 0.0))


def test_a_distance_still_open_counts_as_far_as_it_goes_and_goes_on_in_the_next_segment() -> None:
    gops = Gops(SCALE)
    all_frames = frames(0, until=600)
    gops.add(all_frames[:300])
    assert gops.segment() == pytest.approx((0.0, 10.0, 0.0))
    gops.add(all_frames[300:])
    assert gops.segment() == pytest.approx((0.0, 20.0, 0.0))


def test_scattered_keyframes_show_as_spread_and_are_forgotten_in_time() -> None:
    gops = Gops(SCALE)
    gops.add(frames(0, 60, 75, 120, until=121))
    assert gops.segment() == pytest.approx((0.5, 2.0, 1.5), abs=0.04)
    gops.add([frame._replace(dts=frame.dts + 120 * TICKS) for frame in frames(*range(0, 1201, 60), until=1201)])
    assert gops.segment()[2] == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("order", "most"),
    [
        ((0, 1, 2, 3, 4, 5), 0),
        ((0, 2, 1, 4, 3), 1),
        ((0, 4, 1, 2, 3, 8, 5, 6, 7), 3),
        ((0, 4, 2, 1, 3, 8, 6, 5, 7), 3),  # with a pyramid
    ],
)
def test_b_frames_are_those_shown_before_one_decoded_earlier(order: tuple[int, ...], most: int) -> None:
    gops = Gops(SCALE)
    gops.add(shown_in_order(*order))
    assert gops.b_frames == most


def test_milliseconds_that_round_are_no_b_frames() -> None:
    gops = Gops(SCALE)
    gops.add([Frame(index * 750, 750, memoryview(b""), index == 0, index % 2 * -90) for index in range(240)])
    assert gops.b_frames == 0


def test_a_rate_covers_its_window_and_nothing_older() -> None:
    rate = RollingRate(10.0)
    assert rate.add(2.0, 250_000) == pytest.approx(1000.0)
    for _ in range(5):
        last = rate.add(2.0, 500_000)
    assert last == pytest.approx(2000.0)


def test_segments_without_time_do_no_harm() -> None:
    rate = RollingRate(10.0)
    for _ in range(1000):
        assert rate.add(0.0, 100) == 0.0
    assert len(rate._segments) <= 256

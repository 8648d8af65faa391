"""Sound beside a picture: cut where the picture is, to within a frame, and nothing is lost."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.hls.entries import Slot
from ingest.media.follower import Followed, Follower
from ingest.media.fragment import Frame

RATE, FRAME = 48_000, 1024
PICTURE_S = 1 / 30


def slot(number: int, duration_s: float = 0.2) -> Slot:
    return Slot(number, 0, duration_s, 0.0, 0.0, 0)


def frame(index: int) -> Frame:
    return Frame(index * FRAME, FRAME, memoryview(b"x"))


def test_a_part_waits_for_its_last_frame() -> None:
    follower = Follower(RATE)
    place = slot(0, 2 * FRAME / RATE)
    follower.mark(place, 2 * FRAME / RATE, ends_segment=True)
    follower.push(frame(0))
    assert follower.take() == []
    follower.push(frame(1))
    assert follower.take() == [Followed(place, [frame(0), frame(1)], True)]


def test_sound_that_does_not_come_is_given_up_after_a_second() -> None:
    follower = Follower(RATE)
    taken = []
    for number in range(12):
        follower.mark(slot(number), 0.2 * (number + 1), ends_segment=False)
        taken += follower.take()
    assert [part.frames for part in taken] == [[]] * 7


def test_what_is_missing_before_and_behind_a_parts_sound_is_a_gap_of_its_own() -> None:
    follower = Follower(RATE)
    follower.mark(Slot(0, 0, 1.0, 0.0, 0.0, 0), 1.0, ends_segment=True)
    for index in range(10, 40):
        follower.push(frame(index))
    parts = follower.flush()
    assert [len(part.frames) for part in parts] == [0, 30, 0]
    assert [part.slot.duration_s for part in parts] == pytest.approx(
        [10 * FRAME / RATE, 30 * FRAME / RATE, 0.14667], abs=1e-4
    )
    assert [part.ends_segment for part in parts] == [False, False, True]


def test_a_part_shorter_than_a_frame_gets_the_frame_after_it() -> None:
    follower = Follower(RATE)
    follower.mark(slot(0, FRAME / RATE), FRAME / RATE, ends_segment=False)
    follower.mark(slot(1, 0.001), FRAME / RATE + 0.001, ends_segment=False)
    for index in range(3):
        follower.push(frame(index))
    assert [part.frames for part in follower.take()] == [[frame(0)], [frame(1)]]


@settings(deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=40), st.integers(-10, 10))
def test_each_part_begins_and_ends_within_a_frame_of_the_pictures(parts: list[int], ahead: int) -> None:
    """`ahead` is how many frames of sound arrive before the picture that they belong to."""
    follower, taken, pushed, end_s = Follower(RATE), [], 0, 0.0
    for number, pictures in enumerate(parts):
        end_s += pictures * PICTURE_S
        follower.mark(slot(number, pictures * PICTURE_S), end_s, ends_segment=False)
        while (pushed - ahead) * FRAME / RATE < end_s:
            follower.push(frame(pushed))
            pushed += 1
            taken += follower.take()
    in_time = len(taken)
    taken += follower.flush()
    assert [number for number, _ in groupby(part.slot.number for part in taken)] == list(range(len(parts)))
    assert [part.slot.number for part in taken[:in_time]] == list(range(in_time)), "no gaps within a part"
    frames = [each for part in taken for each in part.frames]
    assert frames == [frame(index) for index in range(len(frames))]
    assert len(frames) == pushed or frame(len(frames)).dts / RATE >= end_s - FRAME / RATE, "only what no picture covers"
    end_s = 0.0
    for part, pictures in zip(taken[:in_time], parts, strict=False):
        end_s += pictures * PICTURE_S
        last = part.frames[-1]
        assert abs((last.dts + last.duration) / RATE - end_s) <= FRAME / RATE + 1e-4

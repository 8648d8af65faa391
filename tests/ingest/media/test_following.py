"""Sound beside a picture: cut where the picture is, to within a frame, and nothing is lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.hls.entries import Slot
from ingest.media.follower import Followed, Follower
from ingest.media.fragment import Frame

RATE, FRAME = 48_000, 1024
PICTURE_S = 1 / 30


def slot(number: int) -> Slot:
    return Slot(number, 0, 0.2, 0.2, 0.0, 0.0, 0)


def frame(index: int) -> Frame:
    return Frame(index * FRAME, FRAME, memoryview(b"x"))


def test_a_part_waits_for_its_last_frame() -> None:
    follower = Follower(RATE)
    follower.mark(slot(0), 2 * FRAME / RATE, ends_segment=True)
    follower.push(frame(0))
    assert follower.take() == []
    follower.push(frame(1))
    assert follower.take() == [Followed(slot(0), [frame(0), frame(1)], True)]


def test_sound_that_does_not_come_is_given_up_after_a_second() -> None:
    follower = Follower(RATE)
    taken = []
    for number in range(12):
        follower.mark(slot(number), 0.2 * (number + 1), ends_segment=False)
        taken += follower.take()
    assert [part.frames for part in taken] == [[]] * 7


def test_a_part_shorter_than_a_frame_gets_the_frame_after_it() -> None:
    follower = Follower(RATE)
    follower.mark(slot(0), FRAME / RATE, ends_segment=False)
    follower.mark(slot(1), FRAME / RATE + 0.001, ends_segment=False)
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
        follower.mark(slot(number), end_s, ends_segment=False)
        while (pushed - ahead) * FRAME / RATE < end_s:
            follower.push(frame(pushed))
            pushed += 1
            taken += follower.take()
    in_time = len(taken)
    taken += follower.flush()
    assert [part.slot.number for part in taken] == list(range(len(parts)))
    frames = [each for part in taken for each in part.frames]
    assert frames == [frame(index) for index in range(len(frames))]
    assert len(frames) == pushed or frame(len(frames)).dts / RATE >= end_s - FRAME / RATE, "only what no picture covers"
    end_s = 0.0
    for part, pictures in zip(taken[:in_time], parts, strict=False):
        end_s += pictures * PICTURE_S
        last = part.frames[-1]
        assert abs((last.dts + last.duration) / RATE - end_s) <= FRAME / RATE + 1e-4

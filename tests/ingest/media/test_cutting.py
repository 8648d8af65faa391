"""Parts never exceed their target, lose nothing, and segments begin where they should."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.media.cutter import CutLimits, Cutter, Part
from ingest.media.fragment import Frame

LIMITS = CutLimits(part_target=18_000, segment_min=162_000, segment_max=400_500)
DATA = memoryview(b"x")

durations = st.one_of(st.just(3000), st.integers(1, 30_000), st.integers(90_000, 270_000))
keyframes = st.sampled_from([False, False, False, True])
footage = st.lists(st.tuples(durations, keyframes), min_size=1, max_size=400)


def cut(frames: list[tuple[int, bool]]) -> list[Part]:
    """Each frame is its duration and whether it is a keyframe."""
    cutter, dts, parts = Cutter(LIMITS), 0, []
    for index, (duration, keyframe) in enumerate(frames):
        follows = index + 1 < len(frames) and frames[index + 1][1]
        parts += cutter.push(Frame(dts, duration, DATA, keyframe), follows)
        dts += duration
    rest = cutter.flush()
    return [*parts, rest] if rest else parts


def segments(parts: list[Part]) -> list[list[Part]]:
    done: list[list[Part]] = [[]]
    for part in parts:
        done[-1].append(part)
        if part.ends_segment:
            done.append([])
    return [segment for segment in done if segment]


@given(footage)
def test_no_part_exceeds_the_target(frames: list[tuple[int, bool]]) -> None:
    for part in cut(frames):
        assert part.duration <= LIMITS.part_target
        assert part.span <= LIMITS.part_target or len(part.frames) == 1


@given(footage)
def test_the_parts_hold_every_frame_once_in_order(frames: list[tuple[int, bool]]) -> None:
    assert [frame.duration for part in cut(frames) for frame in part.frames] == [duration for duration, _ in frames]


@given(footage)
def test_a_part_lasts_as_long_as_its_frames(frames: list[tuple[int, bool]]) -> None:
    for part in cut(frames):
        assert part.span == sum(frame.duration for frame in part.frames)


@given(footage)
def test_a_segment_ends_before_a_keyframe_or_at_its_limit(frames: list[tuple[int, bool]]) -> None:
    done = segments(cut(frames))
    for segment, following in pairwise(done):
        length = sum(part.span for part in segment)
        next_frame = following[0].frames[0]
        if segment[-1].forced:
            assert length + LIMITS.part_target > LIMITS.segment_max
        elif next_frame.keyframe:
            too_long = length + next_frame.duration > LIMITS.segment_max
            assert length >= LIMITS.segment_min or not segment[0].frames[0].keyframe or too_long
        else:
            assert length + next_frame.duration > LIMITS.segment_max


@given(footage)
def test_no_segment_exceeds_its_limit(frames: list[tuple[int, bool]]) -> None:
    for segment in segments(cut(frames)):
        assert sum(part.span for part in segment) <= LIMITS.segment_max


@given(st.integers(60, 600))
def test_a_long_group_of_pictures_begins_a_segment_wherever_it_is_cut(frames_a_group: int) -> None:
    """So that a player can start at each keyframe."""
    done = segments(cut([(3000, index % frames_a_group == 0) for index in range(3 * frames_a_group)]))
    assert sum(segment[0].frames[0].keyframe for segment in done) == 3


@given(footage)
def test_a_keyframe_never_lies_deep_in_a_segment_that_is_long_enough(frames: list[tuple[int, bool]]) -> None:
    for segment in segments(cut(frames)):
        length = 0
        for frame in (frame for part in segment for frame in part.frames):
            assert not (frame.keyframe and length >= LIMITS.segment_min)
            assert not (frame.keyframe and length and not segment[0].frames[0].keyframe)
            length += frame.duration


@given(st.integers(30, 300), st.sampled_from([1500, 3000, 3600]))
def test_steady_frames_make_parts_of_exactly_the_target(count: int, duration: int) -> None:
    parts = cut([(duration, index == 0) for index in range(count)])
    assert {part.duration for part in parts[:-1] if not part.ends_segment} <= {LIMITS.part_target}


def test_nothing_open_flushes_to_nothing() -> None:
    assert Cutter(LIMITS).flush() is None

"""Parts are as long as they may be, lose nothing, and segments begin where they should."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.cutter import CutLimits, Cutter, Part
from ingest.media.fragment import Frame

LIMITS = CutLimits(part_target=18_000, segment_min=162_000, segment_max=400_500)
DATA = memoryview(b"x")

durations = st.one_of(st.just(3000), st.integers(1, 30_000), st.integers(90_000, 270_000))
keyframes = st.sampled_from([False, False, False, True])
footage = st.lists(st.tuples(durations, keyframes), min_size=1, max_size=400)


def cut(frames: list[tuple[int, bool]], limits: CutLimits = LIMITS) -> list[Part]:
    """Each frame is its duration and whether it is a keyframe."""
    cutter, dts, parts = Cutter(limits), 0, []
    for index, (duration, keyframe) in enumerate(frames):
        follows = index + 1 < len(frames) and frames[index + 1][1]
        parts += cutter.push(Frame(dts, duration, DATA, keyframe), follows)
        dts += duration
    return parts + cutter.flush()


def segments(parts: list[Part]) -> list[list[Part]]:
    done: list[list[Part]] = [[]]
    for part in parts:
        done[-1].append(part)
        if part.ends_segment:
            done.append([])
    return [segment for segment in done if segment]


def length_of(segment: list[Part]) -> int:
    return sum(part.duration for part in segment)


@given(footage)
def test_no_part_exceeds_the_target(frames: list[tuple[int, bool]]) -> None:
    assert max(part.duration for part in cut(frames)) <= LIMITS.part_target


@given(footage)
def test_no_part_is_short_but_a_segments_last(frames: list[tuple[int, bool]]) -> None:
    for segment in segments(cut(frames)):
        assert all(part.duration >= 0.85 * LIMITS.part_target for part in segment[:-1] if part.duration)


@given(footage)
def test_the_parts_hold_every_frame_once_in_order(frames: list[tuple[int, bool]]) -> None:
    assert [frame.duration for part in cut(frames) for frame in part.frames] == [duration for duration, _ in frames]


@given(footage)
def test_a_segments_parts_last_as_long_as_its_frames(frames: list[tuple[int, bool]]) -> None:
    for segment in segments(cut(frames)):
        assert length_of(segment) == sum(frame.duration for part in segment for frame in part.frames)


@given(footage)
def test_a_part_ends_within_its_last_frame_and_is_a_gap_only_if_no_frame_starts_in_it(
    frames: list[tuple[int, bool]],
) -> None:
    for segment in segments(cut(frames)):
        for part, following in pairwise(segment):
            assert part.start + part.duration == following.start or not following.duration
        for part in segment:
            starts = [frame.dts for frame in part.frames]
            assert all(start < part.start + part.duration for start in starts)
            if part.frames:
                assert part.start + part.duration <= starts[-1] + part.frames[-1].duration


@given(footage)
def test_a_segment_ends_before_a_keyframe_or_at_its_limit(frames: list[tuple[int, bool]]) -> None:
    done = segments(cut(frames))
    for segment, following in pairwise(done):
        length = length_of(segment)
        next_frame = following[0].frames[0]
        if segment[-1].forced:
            assert length + LIMITS.part_target > LIMITS.segment_max
        elif next_frame.keyframe:
            too_long = length + next_frame.duration > LIMITS.segment_max
            another_group = 2 * length > LIMITS.segment_max
            headless = not segment[0].frames[0].keyframe
            assert length >= LIMITS.segment_min or headless or too_long or another_group
        else:
            assert length + next_frame.duration > LIMITS.segment_max


@given(footage)
def test_no_segment_exceeds_its_limit(frames: list[tuple[int, bool]]) -> None:
    for segment in segments(cut(frames)):
        assert length_of(segment) <= LIMITS.segment_max


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


@pytest.mark.parametrize(("at", "parts"), [(0, [5, 6]), (4, [5, 6]), (5, [6, 5])])
def test_a_single_frame_that_is_missing_neither_shortens_a_part_nor_makes_a_gap(at: int, parts: list[int]) -> None:
    """Of six frames a part: five would be too short, and the sixth, of double length, too much."""
    cuts = cut([(6000 if index == at else 3000, index == 0) for index in range(30)])
    assert [len(part.frames) for part in cuts[:2]] == parts
    assert {part.duration for part in cuts[:2]} == {LIMITS.part_target}


def test_what_a_frame_lasts_beyond_its_part_is_gaps_and_the_rest_the_next_parts() -> None:
    cuts = cut([(3000, True), (3000, False), (45_000, False), *[(3000, False)] * 20])
    assert [len(part.frames) for part in cuts[:4]] == [3, 0, 1, 6]
    assert {part.duration for part in cuts[:4]} == {LIMITS.part_target}


def test_a_frame_as_long_as_many_parts_that_ends_its_segment_is_followed_by_gaps() -> None:
    cuts = cut([*[(3000, index == 0) for index in range(59)], (45_000, False), (3000, True)])
    last = segments(cuts)[0][-4:]
    assert [part.duration for part in last] == [18_000, 18_000, 18_000, 6_000]
    assert [len(part.frames) for part in last] == [6, 0, 0, 0]


@pytest.mark.parametrize(("group_s", "segment_s"), [(1, 6), (2, 6), (2.5, 5), (3.5, 3.5), (4, 4), (5, 5)])
def test_segments_of_six_seconds_are_whole_groups_of_pictures(group_s: float, segment_s: float) -> None:
    """Where another group would not fit, the segment ends early rather than within it."""
    limits = CutLimits(part_target=90_000, segment_min=int(5.4 * 90_000), segment_max=int(6.45 * 90_000))
    every = round(group_s * 30)
    done = segments(cut([(3000, index % every == 0) for index in range(600)], limits))
    assert {length_of(segment) / 90_000 for segment in done[:-1]} == {segment_s}
    assert all(segment[0].frames[0].keyframe for segment in done)


def test_nothing_open_flushes_to_nothing() -> None:
    assert Cutter(LIMITS).flush() == []

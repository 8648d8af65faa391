"""A SegmentTimeline's S elements: every tick accounted for, however segments came and went."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.dash.line import Line, Run
from ingest.hls.entries import Ticks

DURATIONS = st.lists(st.sampled_from([1, 95_232, 96_256, 180_000]), min_size=1, max_size=40)


def line_of(durations: list[int], start: int = 0) -> Line:
    line = Line()
    for duration in durations:
        line.add(Ticks(start, start + duration))
        start += duration
    return line


def durations_of(line: Line) -> list[int]:
    return [run.duration for run in line.runs() for _ in range(run.segments)]


def test_segments_of_one_duration_are_one_element() -> None:
    assert line_of([10, 10, 10, 7, 10], start=5).runs() == [Run(5, 10, 3), Run(35, 7, 1), Run(42, 10, 1)]


@given(DURATIONS, st.integers(0, 2**40))
def test_the_elements_are_the_segments(durations: list[int], start: int) -> None:
    line = line_of(durations, start)
    assert durations_of(line) == durations
    assert line.runs()[0].start == start
    assert line.end == start + sum(durations)


@given(DURATIONS)
def test_no_two_neighbours_could_be_one(durations: list[int]) -> None:
    runs = line_of(durations).runs()
    assert all(before.duration != after.duration for before, after in pairwise(runs))


@given(DURATIONS, st.data())
def test_what_is_dropped_is_the_oldest(durations: list[int], data: st.DataObject) -> None:
    dropped = data.draw(st.integers(0, len(durations) - 1))
    line = line_of(durations)
    for _ in range(dropped):
        line.drop()
    assert durations_of(line) == durations[dropped:]
    assert line.runs()[0].start == sum(durations[:dropped])


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(-3, 3)), min_size=1, max_size=20))
def test_there_are_no_holes_whatever_the_media_has(segments: list[tuple[int, int]]) -> None:
    line, at = Line(), 100
    for duration, drift in segments:
        line.add(Ticks(at, at + duration))
        at += duration + drift
    runs = line.runs()
    assert len(durations_of(line)) == len(segments)
    assert all(before.end >= after.start for before, after in pairwise(runs))


def test_the_last_segment_is_put_right_when_it_is_complete() -> None:
    line = line_of([10, 10])
    line.correct(Ticks(10, 18))
    line.add(Ticks(18, 28))
    assert durations_of(line) == [10, 8, 10]

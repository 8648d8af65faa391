"""Where Periods begin, and that what was shown of a segment stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ingest.dash.periods import PERIODS_MAX, Moment, Offer, Periods
from ingest.dash.survey import survey
from ingest.hls.entries import Ticks
from ingest.hls.playback import Playback
from tests.ingest.hls.stage import NOW_S, RENDITIONS, Stage, window_of

BOTH = {"source": 0, "audio": 0}
ALL = {**BOTH, "360p": 0}


@dataclass
class Clock:
    """Makes segments of two seconds that follow one another."""

    number: int = 0
    media_s: float = 0.0
    wall_s: float = NOW_S
    discontinuities: int = 0
    periods: Periods = field(default_factory=Periods)

    def add(self, inits: Mapping[str, int], duration_s: float = 2.0, open_for_s: float = 0.0) -> None:
        """Open when `open_for_s` is what there is of it."""
        there_s = open_for_s or duration_s
        offers = {}
        for name, init in inits.items():
            rendition = RENDITIONS[name]
            ticks = Ticks(
                round(self.media_s * rendition.timescale), round((self.media_s + there_s) * rendition.timescale)
            )
            offers[name] = Offer(rendition, init, ticks, bool(open_for_s))
        self.periods.take([Moment(self.number, self.wall_s, self.media_s, there_s, self.discontinuities, offers)])
        if not open_for_s:
            self.number += 1
            self.media_s += duration_s
            self.wall_s += duration_s

    def interrupt(self, for_s: float) -> None:
        self.wall_s += for_s
        self.discontinuities += 1

    def shape(self) -> list[tuple[int, set[str]]]:
        return [(period.first_number, set(period.representations)) for period in self.periods.listed]


def test_segments_that_continue_one_another_are_one_period() -> None:
    clock = Clock()
    for _ in range(3):
        clock.add(BOTH)
    (period,) = clock.periods.listed
    assert (period.first_number, period.start_s, period.end_s) == (0, 0.0, 6.0)


def test_a_discontinuity_begins_a_period_where_the_clock_is() -> None:
    clock = Clock()
    clock.add(BOTH)
    clock.interrupt(for_s=10.0)
    clock.add({"source": 1, "audio": 1})
    assert [period.start_s for period in clock.periods.listed] == [0.0, 12.0]
    assert [period.media_s for period in clock.periods.listed] == [0.0, 2.0]


def test_a_clock_that_was_set_back_makes_no_periods_overlap() -> None:
    clock = Clock()
    clock.add(BOTH)
    clock.interrupt(for_s=-3600.0)
    clock.add({"source": 1, "audio": 1})
    assert [period.start_s for period in clock.periods.listed] == [0.0, 2.0]


def test_a_rendition_that_comes_goes_or_changes_begins_a_period_that_continues() -> None:
    clock = Clock()
    for inits in (BOTH, ALL, ALL, {**ALL, "360p": 1}, BOTH):
        clock.add(inits)
    both, everything = {"source", "audio"}, {"source", "audio", "360p"}
    assert clock.shape() == [(0, both), (1, everything), (3, everything), (4, both)]
    assert [period.start_s for period in clock.periods.listed] == [0.0, 2.0, 6.0, 8.0]


def test_a_rendition_that_comes_later_than_its_segment_was_shown_waits_for_the_next() -> None:
    clock = Clock()
    clock.add(BOTH, open_for_s=0.2)
    clock.add(ALL)
    clock.add(ALL)
    assert clock.shape() == [(0, {"source", "audio"}), (1, {"source", "audio", "360p"})]


def test_an_open_segment_is_taken_to_be_as_long_as_the_one_before_until_it_is_closed() -> None:
    clock = Clock()
    clock.add(BOTH, duration_s=1.5)
    clock.add(BOTH, open_for_s=0.2)
    assert clock.periods.listed[0].end_s == 3.0
    clock.add(BOTH, open_for_s=1.7)
    assert clock.periods.listed[0].end_s == 3.2
    clock.add(BOTH, duration_s=1.8)
    assert clock.periods.listed[0].end_s == 3.3
    assert clock.periods.last_s == 1.8


@given(st.lists(st.sampled_from([BOTH, ALL, {}]), min_size=1, max_size=40), st.data())
def test_what_is_forgotten_is_the_oldest_and_numbers_go_on(
    shapes: list[Mapping[str, int]], data: st.DataObject
) -> None:
    clock = Clock()
    for inits in shapes:
        clock.add(inits)
    oldest = data.draw(st.integers(0, len(shapes)))
    clock.periods.forget(oldest)
    assert all(each.line.runs() for period in clock.periods.listed for each in period.representations.values())
    shown = [
        (period.oldest_number + index, frozenset(period.representations), run.start + index_in_run * run.duration)
        for period in clock.periods.listed
        for index, (run, index_in_run) in enumerate(
            (run, each) for run in period.representations["source"].line.runs() for each in range(run.segments)
        )
    ]
    assert shown == [
        (number, frozenset(inits), number * 180_000)
        for number, inits in enumerate(shapes)
        if inits and number >= oldest
    ]


def test_the_number_of_periods_is_bounded() -> None:
    clock = Clock()
    for _ in range(PERIODS_MAX + 10):
        clock.add(BOTH)
        clock.interrupt(for_s=0.0)
    clock.periods.forget(0)
    assert len(clock.periods.listed) == PERIODS_MAX
    assert clock.periods.listed[-1].first_number == PERIODS_MAX + 9


def numbers(playback: Playback, after: int = -1) -> list[int]:
    return [moment.number for moment in survey(playback.windows(), after, playback.ended)]


def test_a_segment_is_seen_when_every_rendition_has_begun_it(tmp_path: Path) -> None:
    stage = Stage(Playback("stream", tmp_path), ["source", "audio"])
    stage.add_segments(1)
    assert numbers(stage.playback) == [0]
    slot = stage.playback.timeline.open_slot(0.2, NOW_S, 2.0)
    window_of(stage.playback, "source").add_part(slot, b"part", True, Ticks(180_000, 198_000))
    assert numbers(stage.playback) == [0]
    window_of(stage.playback, "audio").add_part(slot, b"part", True, Ticks(96_000, 105_600))
    assert numbers(stage.playback) == [0, 1]
    assert numbers(stage.playback, after=1) == [1]


def test_a_rendition_that_fell_behind_is_not_waited_for(tmp_path: Path) -> None:
    stage = Stage(Playback("stream", tmp_path), ["source", "360p"])
    stage.add_segments(1)
    stage.names.remove("360p")
    stage.add_parts(10, close=True)
    assert numbers(stage.playback) == [0]
    stage.add_parts(10, close=True)
    (_, second, third) = survey(stage.playback.windows(), -1, ended=False)
    assert set(second.offers) == set(third.offers) == {"source"}


def test_a_gap_is_no_segment_of_the_rendition(tmp_path: Path) -> None:
    stage = Stage(Playback("stream", tmp_path), ["source", "360p"])
    stage.add_segments(1)
    stage.leave("360p")
    stage.add_segments(1)
    stage.join("360p")
    stage.add_segments(1)
    seen = survey(stage.playback.windows(), -1, ended=False)
    assert [set(moment.offers) for moment in seen] == [{"source", "360p"}, {"source"}, {"source", "360p"}]

"""Media that stops, crawls, bursts and jitters, against the clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.health.starvation import ENDS_S, STARTS_S, WINDOW_S, Starvation

STEP_S = 0.2


class Arrivals:
    """Plays time forward; notes when a starvation began and ended."""

    def __init__(self) -> None:
        self.starvation = Starvation()
        self.now_s = 1000.0
        self.media_s = 0.0
        self.began: list[float] = []
        self.lasted: list[float] = []

    def pass_by(self, seconds: float, speed: float) -> Arrivals:
        """Media arrives at `speed` times real time."""
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            self.media_s += STEP_S * speed
            since_s = self.starvation.since_s
            if self.starvation.at(self.now_s, self.media_s):
                if since_s is None:
                    self.began.append(self.now_s)
                else:
                    self.lasted.append(self.now_s - since_s)
        return self


@pytest.mark.parametrize("speed", [1.0, 0.9, 1.5])
def test_media_that_keeps_up_does_not_starve(speed: float) -> None:
    assert Arrivals().pass_by(60, speed).began == []


def test_a_stall_is_said_after_two_seconds_and_is_over_with_the_burst_that_follows() -> None:
    arrivals = Arrivals().pass_by(10, 1.0).pass_by(4, 0.0)
    assert arrivals.began == [pytest.approx(1012.0, abs=STEP_S)]
    arrivals.pass_by(0.4, 11.0)
    assert arrivals.lasted == [pytest.approx(4.4, abs=2 * STEP_S)]


def test_a_stall_without_a_burst_is_over_once_media_kept_up_again_for_a_window() -> None:
    arrivals = Arrivals().pass_by(10, 1.0).pass_by(3, 0.0).pass_by(20, 1.0)
    assert len(arrivals.began) == len(arrivals.lasted) == 1


def test_media_at_half_its_speed_starves_for_as_long_as_it_lasts() -> None:
    arrivals = Arrivals().pass_by(10, 1.0).pass_by(30, 0.5)
    assert len(arrivals.began) == 1
    assert arrivals.lasted == []
    arrivals.pass_by(10, 1.0)
    assert len(arrivals.lasted) == 1
    assert arrivals.lasted[0] > 28


def test_a_restart_forgets_all() -> None:
    arrivals = Arrivals().pass_by(5, 1.0).pass_by(3, 0.0)
    arrivals.starvation.restart()
    arrivals.media_s = 0.0
    assert len(arrivals.pass_by(20, 1.0).began) == 1
    assert arrivals.lasted == []


@given(st.lists(st.tuples(st.floats(0.01, 3.0), st.floats(0.0, 5.0)), max_size=80))
def test_however_media_arrives_it_starves_only_when_behind_and_holds_little(steps: list[tuple[float, float]]) -> None:
    starvation, now_s, media_s, starved = Starvation(), 0.0, 0.0, False
    for waited_s, arrived_s in steps:
        now_s, media_s = now_s + waited_s, media_s + arrived_s
        changed = starvation.at(now_s, media_s)
        assert changed == ((starvation.since_s is not None) != starved)
        if changed:
            starved = not starved
            assert starvation.behind_s >= STARTS_S if starved else starvation.behind_s <= ENDS_S
        assert all(now_s - when_s <= WINDOW_S for when_s, _ in starvation._offsets)

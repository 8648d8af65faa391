"""When a rung is given up, and when it is taken back."""

from __future__ import annotations

from ingest.ladder.load import Advice, Load

LATE_S, PROMPT_S = 2.0, 0.1


def advice_after(load: Load, start_s: int, lags: list[float], shed: int) -> list[tuple[int, Advice]]:
    said = [(start_s + index, load.observe(start_s + index, lag, shed)) for index, lag in enumerate(lags)]
    return [(now_s, advice) for now_s, advice in said if advice is not Advice.KEEP]


def test_a_short_delay_changes_nothing() -> None:
    assert advice_after(Load(), 0, [LATE_S, PROMPT_S] * 20, shed=0) == []


def test_lasting_lag_sheds_one_rung_at_a_time() -> None:
    assert advice_after(Load(), 100, [LATE_S] * 8, shed=0) == [(101, Advice.SHED), (105, Advice.SHED)]


def test_a_worker_that_catches_up_keeps_its_rungs() -> None:
    assert advice_after(Load(), 100, [6.0 - 0.5 * step for step in range(12)], shed=0) == []


def test_a_worker_that_hardly_catches_up_does_not() -> None:
    assert advice_after(Load(), 100, [6.0 - 0.1 * step for step in range(5)], shed=0) == [(101, Advice.SHED)]


def test_a_rung_is_taken_back_after_a_quiet_time() -> None:
    load = Load(quiet_s=30)
    advice_after(load, 0, [LATE_S] * 2, shed=0)
    assert advice_after(load, 2, [PROMPT_S] * 40, shed=1) == [(32, Advice.TAKE_BACK)]


def test_a_rung_that_did_not_last_is_taken_back_later() -> None:
    load = Load(quiet_s=30)
    advice_after(load, 0, [LATE_S] * 2, shed=0)
    advice_after(load, 2, [PROMPT_S] * 31, shed=1)
    assert advice_after(load, 40, [LATE_S] * 3, shed=0) == [(41, Advice.SHED)]
    assert advice_after(load, 43, [PROMPT_S] * 70, shed=1) == [(103, Advice.TAKE_BACK)]


def test_the_start_of_a_worker_is_no_lag() -> None:
    load = Load()
    load.settle(10)
    assert advice_after(load, 10, [LATE_S] * 3, shed=0) == []

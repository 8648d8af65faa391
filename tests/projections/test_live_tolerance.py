"""How much poison a projection passes by."""

from __future__ import annotations

import pytest

from projections.live.tolerance import MAX_CONSECUTIVE, MAX_RATIO, WINDOW, Tolerance, TooMuchPoison


def test_poison_now_and_then_passes_for_ever() -> None:
    tolerance = Tolerance()
    for _ in range(3 * WINDOW):
        tolerance.poisoned("p")
        tolerance.passed(round(1 / MAX_RATIO))


def test_poison_in_a_row_stops() -> None:
    tolerance = Tolerance()
    tolerance.passed(WINDOW)
    for _ in range(MAX_CONSECUTIVE):
        tolerance.poisoned("p")
    with pytest.raises(TooMuchPoison, match="21 records in a row cannot be applied, the last one chat:0:7"):
        tolerance.poisoned("chat:0:7")


def test_too_large_a_share_stops_even_between_good_records() -> None:
    tolerance = Tolerance()
    with pytest.raises(TooMuchPoison, match="101 of the last 201 records cannot be applied, the last one 100"):
        for number in range(WINDOW):
            tolerance.poisoned(str(number))
            tolerance.passed(1)

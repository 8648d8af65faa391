"""Which sizes are given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.thumbnails.sizes import SIDES, nearest


@pytest.mark.parametrize("size", [(80, 45), (320, 180), (440, 248), (640, 360), (854, 480), (1280, 720), (720, 1280)])
def test_usual_sizes_are_given_exactly(size: tuple[int, int]) -> None:
    assert nearest(*size) == size


@pytest.mark.parametrize(
    ("asked", "given"),
    [((1920, 1080), (1280, 720)), ((3840, 2160), (1280, 720)), ((1, 1), (40, 40)), ((1000, 10), (1080, 40))],
)
def test_others_are_given_as_the_nearest(asked: tuple[int, int], given: tuple[int, int]) -> None:
    assert nearest(*asked) == given


@given(st.integers(1, 99_999), st.integers(1, 99_999))
def test_whatever_is_asked_is_one_of_few(width: int, height: int) -> None:
    given = nearest(width, height)
    assert set(given) <= set(SIDES)
    assert nearest(*given) == given


@pytest.mark.parametrize("size", [(0, 100), (100, 0)])
def test_a_size_without_area_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="1x1"):
        nearest(*size)

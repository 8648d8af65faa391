"""Which rungs a source gets: below it, in its shape, within the budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.ladder.rungs import NAMES, choose, parse_names
from ingest.media.parameters import VideoParameters

PLENTY = 1000.0


def video(width: int, height: int, codec: str = "avc1.64001f") -> VideoParameters:
    return VideoParameters(codec, width, height, 30.0, b"avc1", b"avcC", b"")


def names(width: int, height: int, rate: float = 30.0, cores: float = PLENTY) -> list[str]:
    return [rung.name for rung in choose(video(width, height), rate, cores).rungs]


def test_a_source_gets_every_rung_below_it() -> None:
    assert names(1920, 1080) == ["720p", "480p", "360p", "240p"]
    assert names(3840, 2160) == ["1440p", "1080p", "720p", "480p", "360p", "240p"]
    assert names(426, 240) == []


def test_an_upright_picture_counts_by_its_shorter_side() -> None:
    (top, *_) = choose(video(1080, 1920), 30.0, PLENTY).rungs
    assert (top.name, top.width, top.height) == ("720p", 720, 1280)


def test_small_rungs_have_at_most_thirty_frames_a_second() -> None:
    rates = {rung.name: (rung.frame_rate, rung.every) for rung in choose(video(1920, 1080), 60.0, PLENTY).rungs}
    assert rates == {"720p": (60.0, 1), "480p": (30.0, 2), "360p": (30.0, 2), "240p": (30.0, 2)}


def test_a_slow_source_stays_slow() -> None:
    assert {rung.frame_rate for rung in choose(video(1280, 720), 15.0, PLENTY).rungs} == {15.0}


def test_over_the_budget_the_costliest_rung_goes_first() -> None:
    whole = choose(video(1920, 1080), 30.0, PLENTY)
    assert names(1920, 1080, cores=whole.cores - 0.01) == ["480p", "360p", "240p"]
    assert names(1920, 1080, cores=0.1) == []


def test_a_source_that_browsers_do_not_play_gets_a_rung_of_its_own_size_whatever_the_budget() -> None:
    (top, *_) = choose(video(1921, 1081, "avc1.6e0028"), 30.0, 0.1, with_top=True).rungs
    assert (top.name, top.width, top.height) == ("1081p", 1920, 1080)


def test_the_setting_names_the_rungs() -> None:
    assert parse_names("off") == ()
    assert parse_names("auto") == NAMES
    assert parse_names("720p, 360p") == ("720p", "360p")
    with pytest.raises(ValueError, match="'900p' is no rung; use off, auto, or some of 240p"):
        parse_names("900p")


@given(st.integers(16, 8192), st.integers(16, 8192), st.floats(1, 240), st.floats(0, 20))
def test_no_rung_is_larger_or_faster_than_the_source_and_all_fit_the_budget(
    width: int, height: int, rate: float, cores: float
) -> None:
    choice = choose(video(width, height), rate, cores)
    assert choice.cores <= max(cores, 0)
    for rung in choice.rungs:
        assert rung.height < height
        assert rung.width < width
        assert rung.width % 2 == rung.height % 2 == 0
        assert abs(rung.width / rung.height - width / height) * min(rung.width, rung.height) <= 2 * width / height + 2
        assert rung.frame_rate <= rate

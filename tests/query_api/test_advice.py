"""Every code has its advice, and the advice has the stream's own figures where they are known."""

from __future__ import annotations

import pytest

from ingest.health.judge import RULES
from query_api.advice import ADVICE, advice_for, figures_of

SAMPLE = {
    "gop_ms": 8000,
    "b_frames": 3,
    "bitrate_kbps": 300.4,
    "bitrate_10s_kbps": 45_000.0,
    "bitrate_60s_kbps": 2100.2,
    "width": 1280,
    "height": 720,
    "frame_rate": 22.51,
    "av_skew_ms": -700,
    "drift_ms": -4200,
    "loudness_dbfs": None,
}
ENCODER = {
    "configured_width": 1920,
    "configured_height": 1080,
    "configured_frame_rate": 60.0,
    "configured_video_kbps": 6000.0,
    "configured_audio_kbps": 160.0,
}


def test_every_code_of_the_judge_has_advice_and_there_is_none_for_others() -> None:
    assert set(ADVICE) == set(RULES)


@pytest.mark.parametrize("code", ADVICE)
def test_advice_reads_well_with_all_figures_and_with_none(code: str) -> None:
    for figures in (figures_of(SAMPLE, ENCODER), {}):
        said = advice_for(code, figures)
        assert said.endswith(".")
        assert "{" not in said
        assert len(said) < 200


def test_advice_says_what_was_measured() -> None:
    figures = figures_of(SAMPLE, ENCODER)
    assert advice_for("gopSizeLong", figures) == "Your encoder's keyframe interval is 8 s; set it to 2 s."
    assert "set to 6160 kbit/s and sends 2100" in advice_for("configuredBitrateMismatch", figures)
    assert "says 1920x1080 and sends 1280x720" in advice_for("configuredResolutionMismatch", figures)
    assert "set to 60 frames a second and sends 22.5" in advice_for("configuredFrameRateMismatch", figures)
    assert "0.7 s apart" in advice_for("audioVideoSkew", figures)
    assert "4.2 s off" in advice_for("clockDrift", figures)


def test_without_the_figures_it_says_so_in_general() -> None:
    assert "more than 4 seconds apart" in advice_for("gopSizeLong", figures_of({}, {}))
    assert "far from the one" in advice_for("configuredBitrateMismatch", figures_of(SAMPLE, {}))


def test_a_code_from_a_newer_ingest_gets_general_advice() -> None:
    assert advice_for("neverHeardOf", {}) == "Check the encoder's settings and the connection."

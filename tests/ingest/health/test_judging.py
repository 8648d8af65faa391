"""Codes are said after they held for long enough and taken back after good segments in a row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.health.judge import RULES, Verdict, judge
from ingest.health.measure import SegmentSeen, sample_of

GOOD = SegmentSeen(
    sequence=0,
    duration_s=2.0,
    wall_s=2.0,
    size=625_000,
    video_frames=60,
    audio_frames=94,
    keyframe_distance_s=2.0,
    skew_s=0.01,
    gaps=0,
    media_since_start_s=100.0,
    wall_since_start_s=100.1,
    pixels=1280 * 720,
    declared_frame_rate=30.0,
    forced_cut=False,
    stored=True,
)
BAD = {
    "gopSizeLong": replace(GOOD, keyframe_distance_s=5.0),
    "gopSizeOver": replace(GOOD, forced_cut=True),
    "bitrateLow": replace(GOOD, size=25_000),
    "frameRateMismatch": replace(GOOD, video_frames=40),
    "videoIngestionStarved": replace(GOOD, wall_s=3.0),
    "videoIngestionFasterThanRealtime": replace(GOOD, wall_s=1.0),
    "audioVideoSkew": replace(GOOD, skew_s=-0.8),
    "timestampGaps": replace(GOOD, gaps=2),
    "clockDrift": replace(GOOD, media_since_start_s=90.0),
    "noAudioStream": replace(GOOD, audio_frames=0),
    "noVideoStream": replace(GOOD, video_frames=0, pixels=0, declared_frame_rate=0.0),
    "storageFailed": replace(GOOD, stored=False),
}


def judged(*segments: SegmentSeen) -> list[Verdict]:
    verdicts = [Verdict()]
    for seen in segments:
        verdicts.append(judge(verdicts[-1], seen))
    return verdicts[1:]


def test_a_good_stream_is_ok() -> None:
    assert {(verdict.status, verdict.codes) for verdict in judged(*[GOOD] * 10)} == {("ok", ())}


def test_every_rule_has_a_case() -> None:
    assert set(BAD) == set(RULES)


@pytest.mark.parametrize("code", RULES)
def test_a_code_is_said_only_after_it_held_for_long_enough(code: str) -> None:
    wait = RULES[code].raise_after
    verdicts = judged(*[BAD[code]] * wait)
    assert all(verdict.status == "ok" for verdict in verdicts[:-1])
    assert verdicts[-1].codes == (code,)
    assert verdicts[-1].status == RULES[code].severity


@pytest.mark.parametrize("code", RULES)
def test_a_code_is_taken_back_after_three_good_segments_in_a_row(code: str) -> None:
    bad = [BAD[code]] * RULES[code].raise_after
    verdicts = judged(*bad, GOOD, GOOD, BAD[code], GOOD, GOOD, GOOD)
    assert [verdict.codes for verdict in verdicts[len(bad) :]] == [(code,)] * 5 + [()]


def test_a_single_slip_is_not_said() -> None:
    assert not any(verdict.codes for verdict in judged(BAD["timestampGaps"], GOOD, BAD["timestampGaps"], GOOD))


def test_the_worst_code_sets_the_status_and_codes_are_sorted() -> None:
    seen = replace(GOOD, gaps=1, keyframe_distance_s=9.0, stored=False)
    verdict = judged(seen, seen)[-1]
    assert (verdict.status, verdict.codes) == ("error", ("gopSizeLong", "storageFailed", "timestampGaps"))


def test_a_sample_has_the_units_of_the_event() -> None:
    sample = sample_of(replace(GOOD, skew_s=-0.05), "ok")
    assert (sample.duration_ms, sample.bitrate_kbps, sample.frame_rate) == (2000, 2500.0, 30.0)
    assert (sample.gop_ms, sample.av_skew_ms, sample.drift_ms) == (2000, -50, -100)


def test_an_empty_segment_measures_nothing() -> None:
    sample = sample_of(replace(GOOD, duration_s=0.0), "ok")
    assert (sample.bitrate_kbps, sample.frame_rate) == (0.0, 0.0)

"""Codes are said after they held for long enough and taken back after good segments in a row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.health.judge import RULES, Verdict, clear_code, judge, raise_code
from ingest.health.measure import SegmentSeen, sample_of
from tests.ingest.health.seen import BAD, GOOD, NOT_LOOKED

BY_OTHERS = {"unsupportedProfile", "ladderOverloaded", "recordingFailed"}
LOOKED_FOR = ("silentAudio", "blackPicture", "frozenPicture")


def judged(*segments: SegmentSeen, before: Verdict | None = None) -> list[Verdict]:
    verdicts = [before or Verdict()]
    for seen in segments:
        verdicts.append(judge(verdicts[-1], seen))
    return verdicts[1:]


def test_a_good_stream_is_ok() -> None:
    assert {(verdict.status, verdict.codes) for verdict in judged(*[GOOD] * 10)} == {("ok", ())}


def test_every_rule_has_a_case_or_is_raised_by_others() -> None:
    assert set(BAD) | BY_OTHERS == set(RULES)


@pytest.mark.parametrize("code", BAD)
def test_a_code_is_said_only_after_it_held_for_long_enough(code: str) -> None:
    wait, severity = RULES[code].raise_after, RULES[code].severity
    verdicts = judged(*[BAD[code]] * wait)
    assert not any(verdict.codes for verdict in verdicts[:-1])
    assert verdicts[-1].codes == (code,)
    assert verdicts[-1].severities == (severity,)
    assert verdicts[-1].status == ("ok" if severity == "info" else severity)


@pytest.mark.parametrize("code", BAD)
def test_a_code_is_taken_back_after_good_segments_in_a_row(code: str) -> None:
    bad, enough = [BAD[code]] * RULES[code].raise_after, RULES[code].clear_after
    verdicts = judged(*bad, *[GOOD] * (enough - 1), BAD[code], *[GOOD] * enough)
    assert [verdict.codes for verdict in verdicts[len(bad) - 1 :]] == [(code,)] * (2 * enough) + [()]


def test_a_single_slip_is_not_said() -> None:
    assert not any(verdict.codes for verdict in judged(BAD["timestampGaps"], GOOD, BAD["timestampGaps"], GOOD))


def test_the_worst_code_sets_the_status_and_codes_are_sorted() -> None:
    seen = replace(GOOD, gaps=1, gop_max_s=9.0, stored=False)
    verdict = judged(seen, seen)[-1]
    assert (verdict.status, verdict.codes) == ("error", ("gopSizeLong", "storageFailed", "timestampGaps"))
    assert verdict.severities == ("warning", "error", "warning")


@pytest.mark.parametrize("code", LOOKED_FOR)
def test_segments_that_were_not_looked_into_neither_raise_nor_clear(code: str) -> None:
    looks = RULES[code].raise_after
    between = [seen for _ in range(looks) for seen in (NOT_LOOKED, NOT_LOOKED, BAD[code])]
    verdicts = judged(*between, *[NOT_LOOKED] * 20)
    assert [verdict.codes for verdict in verdicts] == [()] * (3 * looks - 1) + [(code,)] * 21


@pytest.mark.parametrize("code", LOOKED_FOR)
def test_a_track_that_is_gone_is_no_longer_silent_black_or_frozen(code: str) -> None:
    gone = replace(NOT_LOOKED, audio_frames=0, video_frames=0)
    assert code not in judged(*[BAD[code]] * 6, *[gone] * 3)[-1].codes


def test_small_and_unknown_differences_from_the_configuration_are_nothing() -> None:
    cropped = replace(GOOD, announced=replace(GOOD.announced, height=728))
    slow = replace(GOOD, announced=replace(GOOD.announced, frame_rate=32.0, video_kbps=3000.0))
    assert not any(verdict.codes for verdict in judged(*[cropped] * 6, *[slow] * 6))


@pytest.mark.parametrize("code", sorted({*BY_OTHERS, "storageFailed"}))
def test_what_others_raise_is_said_at_once_and_stays_until_it_is_cleared(code: str) -> None:
    raised = raise_code(Verdict(), code)
    assert (raised.codes, raised.status) == ((code,), RULES[code].severity)
    still = judged(*[GOOD] * 10, before=raised)[-1]
    assert still.codes == (code,)
    cleared = clear_code(still, code)
    assert cleared.codes == (code,)
    assert [verdict.codes for verdict in judged(GOOD, GOOD, GOOD, before=cleared)] == [(code,), (code,), ()]


def test_a_code_without_a_rule_cannot_be_raised() -> None:
    with pytest.raises(KeyError, match="noSuchCode"):
        raise_code(Verdict(), "noSuchCode")


def test_a_sample_has_the_units_of_the_event() -> None:
    sample = sample_of(replace(GOOD, skew_s=-0.05, starved_s=0.7), "ok")
    assert (sample.duration_ms, sample.bitrate_kbps, sample.frame_rate) == (2000, 2500.0, 30.0)
    assert (sample.video_kbps, sample.audio_kbps) == (2372.0, 128.0)
    assert (sample.gop_ms, sample.gop_min_ms, sample.av_skew_ms, sample.drift_ms) == (2000, 2000, -50, -100)
    assert (sample.starved_ms, sample.loudness_dbfs, sample.brightness, sample.picture_change) == (700, -20, 180, 12)


def test_an_empty_segment_measures_nothing() -> None:
    sample = sample_of(replace(GOOD, duration_s=0.0), "ok")
    assert (sample.bitrate_kbps, sample.frame_rate) == (0.0, 0.0)

"""Whatever segments come and whatever others raise and clear: no flapping, and a status that follows from the codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.health.judge import RULES, Verdict, clear_code, judge, raise_code
from ingest.health.measure import Look, SegmentSeen
from tests.ingest.health.seen import BAD, GOOD, NOT_LOOKED

Step = Callable[[Verdict], Verdict]
RANK = {"info": 0, "ok": 0, "warning": 1, "error": 2}

looks = st.builds(
    Look,
    loudness_dbfs=st.none() | st.floats(-120, 0),
    brightness=st.none() | st.floats(0, 255),
    change=st.none() | st.floats(0, 255),
)
segments: st.SearchStrategy[SegmentSeen] = st.one_of(
    st.sampled_from([GOOD, NOT_LOOKED, *BAD.values()]),
    st.builds(
        replace,
        st.just(GOOD),
        duration_s=st.floats(0, 20),
        wall_s=st.floats(0, 20),
        video_frames=st.integers(0, 2400),
        audio_frames=st.integers(0, 900),
        gop_max_s=st.floats(0, 30),
        gop_spread_s=st.floats(0, 30),
        skew_s=st.floats(-5, 5),
        b_frames=st.integers(0, 16),
        stored=st.booleans(),
        look=looks,
    ),
)


def judging(seen: SegmentSeen) -> Step:
    return lambda verdict: judge(verdict, seen)


def raising(code: str) -> Step:
    return lambda verdict: raise_code(verdict, code)


def clearing(code: str) -> Step:
    return lambda verdict: clear_code(verdict, code)


codes = st.sampled_from(sorted(RULES))
steps = st.one_of(segments.map(judging), segments.map(judging), codes.map(raising), codes.map(clearing))


def after(script: list[Step]) -> list[Verdict]:
    verdicts = [Verdict()]
    for step in script:
        verdicts.append(step(verdicts[-1]))
    return verdicts


@given(st.lists(steps, max_size=60))
def test_codes_are_sorted_and_known_and_the_status_is_the_worst_of_them(script: list[Step]) -> None:
    for verdict in after(script):
        assert list(verdict.codes) == sorted(set(verdict.codes))
        assert verdict.raised <= set(verdict.codes)
        assert RANK[verdict.status] == max((RANK[severity] for severity in verdict.severities), default=0)
        assert len(verdict.severities) == len(verdict.codes)


@given(st.lists(segments, max_size=60))
def test_no_code_comes_or_goes_more_often_than_its_rule_allows(script: list[SegmentSeen]) -> None:
    verdicts = after([judging(seen) for seen in script])
    for code, rule in RULES.items():
        said = [code in verdict.codes for verdict in verdicts]
        flips = [index for index in range(1, len(said)) if said[index] != said[index - 1]]
        for index, following in pairwise([0, *flips]):
            assert following - index >= (rule.raise_after if said[following] else rule.clear_after)


@given(codes.filter(lambda code: code in BAD), st.integers(1, 40))
def test_a_code_that_holds_every_other_segment_is_said_at_most_once(code: str, pairs: int) -> None:
    verdicts = after([judging(seen) for _ in range(pairs) for seen in (BAD[code], GOOD)])
    said = [code in verdict.codes for verdict in verdicts]
    comings = sum(later and not earlier for earlier, later in pairwise(said))
    assert comings <= (1 if RULES[code].raise_after == 1 else 0)


@given(codes, st.lists(st.sampled_from(["raise", "clear", "segment"]), max_size=80))
def test_what_others_raise_and_clear_all_the_time_goes_at_most_every_few_segments(code: str, words: list[str]) -> None:
    does = {"raise": raising(code), "clear": clearing(code), "segment": judging(GOOD)}
    verdicts = after([does[word] for word in words])
    said = [code in verdict.codes for verdict in verdicts]
    goings = sum(earlier and not later for earlier, later in pairwise(said))
    assert goings * RULES[code].clear_after <= words.count("segment")


@given(st.lists(segments, max_size=30), segments)
def test_one_more_thing_that_is_wrong_never_makes_the_status_better(
    script: list[SegmentSeen], seen: SegmentSeen
) -> None:
    before = after([judging(each) for each in script])[-1]
    plain, worse = judge(before, seen), judge(before, replace(seen, stored=False))
    assert set(plain.codes) <= set(worse.codes)
    assert RANK[worse.status] >= RANK[plain.status]


@given(st.lists(steps, max_size=40))
def test_enough_good_segments_make_any_stream_well_again(script: list[Step]) -> None:
    verdict = after(script)[-1]
    for code in verdict.raised:
        verdict = clear_code(verdict, code)
    for _ in range(max(rule.clear_after for rule in RULES.values())):
        verdict = judge(verdict, GOOD)
    assert (verdict.status, verdict.codes) == ("ok", ())

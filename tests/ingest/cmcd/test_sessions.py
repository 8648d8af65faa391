"""From what players say to playback facts."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ingest.cmcd.parse import STATES, Cmcd
from ingest.cmcd.sessions import Fact, Joined, Left, Limits, Observation, Sampled, Sessions

START = 1_790_000_000_000
SID = "viewer-aaaa"


class Player:
    """Says things at seconds from the start, and keeps the facts that follow."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.sessions = Sessions(limits or Limits())
        self.facts: list[Fact] = []

    def says(self, second: float, sid: str = SID, status: int = 200, **cmcd: Any) -> None:
        at_ms = START + round(second * 1000)
        self.facts += self.sessions.expire(at_ms)
        self.facts += self.sessions.observe(Observation(at_ms, "stream", "1", Cmcd(sid=sid, **cmcd), status))

    def reports(self, second: float, event: str = "t", **cmcd: Any) -> None:
        """In event mode, by a clock of its own that is a minute slow."""
        self.says(second, e=event, ts=START - 60_000 + round(second * 1000), **cmcd)

    def silent_until(self, second: float) -> None:
        self.facts += self.sessions.expire(START + round(second * 1000))

    @property
    def samples(self) -> list[Sampled]:
        return [fact for fact in self.facts if isinstance(fact, Sampled)]

    @property
    def kinds(self) -> list[str]:
        return [type(fact).__name__ for fact in self.facts]


def test_a_viewer_joins_by_the_first_sign_is_sampled_every_ten_seconds_and_leaves_by_silence() -> None:
    player = Player()
    for second in range(0, 25, 2):
        player.reports(second, sta="p", br=2500, bl=1800, mtp=9000, ltc=1500)
    player.silent_until(53)
    assert player.kinds == ["Joined", "Sampled", "Sampled"]
    player.silent_until(54)
    assert player.kinds == ["Joined", "Sampled", "Sampled", "Sampled", "Left"]
    left = player.facts[-1]
    assert isinstance(left, Left)
    assert (left.reason, left.at_ms) == ("silent", START + 24_000)
    first = player.samples[0]
    assert (first.bitrate_kbps, first.buffer_ms, first.throughput_kbps, first.latency_ms) == (2500, 1800, 9000, 1500)


def test_startup_is_from_the_first_sign_to_the_first_picture_and_told_once() -> None:
    player = Player()
    player.reports(0)
    player.reports(0.1, "ps", sta="d")
    player.reports(0.2, "ps", sta="s")
    player.reports(0.9, "ps", sta="p")
    for second in (10, 20, 30):
        player.reports(second, sta="p")
    assert [sample.startup_ms for sample in player.samples] == [900, None, None]


def test_a_player_that_measures_its_startup_is_believed() -> None:
    player = Player()
    player.reports(3, sta="p", msd=1234)
    player.reports(10, sta="p")
    assert [sample.startup_ms for sample in player.samples] == [1234]


def test_startup_of_a_player_that_decorates_requests_ends_with_media_that_is_not_urgent() -> None:
    player = Player()
    player.says(0, ot="m", su=True)
    player.says(0.3, ot="i", su=True)
    player.says(0.5, ot="av", su=True)
    player.says(1.4, ot="av")
    player.says(12, ot="av")
    assert [sample.startup_ms for sample in player.samples] == [1400]


def test_a_viewer_first_seen_in_the_middle_has_no_startup_time() -> None:
    player = Player()
    player.reports(0, sta="p")
    player.reports(10, sta="p")
    player.silent_until(60)
    assert [sample.startup_ms for sample in player.samples] == [None]
    assert isinstance(player.facts[-1], Left)
    assert player.facts[-1].started


def test_a_viewer_who_leaves_before_the_first_picture_is_told_apart() -> None:
    player = Player()
    player.reports(0, sta="d")
    player.reports(2, sta="s")
    player.silent_until(60)
    left = player.facts[-1]
    assert isinstance(left, Left)
    assert not left.started


def test_stalls_are_counted_and_timed_by_the_players_clock() -> None:
    player = Player()
    player.reports(0, sta="p")
    player.reports(3, "ps", sta="r")
    player.reports(4.5, "ps", sta="p")
    player.reports(6, "ps", sta="r")
    player.reports(10, sta="r")
    player.reports(11, "ps", sta="p")
    player.reports(20, sta="p")
    assert [(sample.rebuffers, sample.stalled_ms) for sample in player.samples] == [(2, 5500), (0, 1000)]


def test_stalls_of_a_player_that_decorates_requests_are_its_buffer_starvations() -> None:
    player = Player()
    player.says(0, ot="av")
    player.says(4, ot="av", bs=True, bsd=700)
    player.says(5, ot="av", bs=True)
    player.says(10, ot="av")
    assert [(sample.rebuffers, sample.stalled_ms) for sample in player.samples] == [(2, 700)]


def test_an_error_told_as_state_and_as_event_is_one_failure_and_a_failed_request_another() -> None:
    player = Player()
    player.reports(0, sta="p")
    player.reports(1, "ps", sta="f")
    player.reports(1, "e", sta="f")
    player.reports(3, "ps", sta="p")
    player.says(5, status=503)
    player.reports(10, sta="p")
    assert [sample.failures for sample in player.samples] == [2]


def test_a_player_at_the_end_has_left_and_does_not_join_again() -> None:
    player = Player()
    player.reports(0, sta="p")
    player.reports(5, "ps", sta="e")
    player.reports(10, sta="e")
    assert player.kinds == ["Joined", "Sampled", "Left"]
    assert isinstance(player.facts[-1], Left)
    assert player.facts[-1].reason == "ended"


def test_a_viewer_who_comes_back_after_silence_joins_again() -> None:
    player = Player()
    player.reports(0, sta="p")
    player.reports(100, sta="p")
    assert player.kinds == ["Joined", "Sampled", "Left", "Joined"]


def test_the_only_sign_of_a_viewer_may_be_a_failure() -> None:
    player = Player()
    player.says(0, ot="m", su=True, status=404)
    player.silent_until(60)
    assert [sample.failures for sample in player.samples] == [1]


def test_a_clock_that_is_set_back_or_leaps_is_no_stall() -> None:
    player = Player()
    player.says(0, e="ps", ts=START, sta="r")
    player.says(1, e="t", ts=START - 3_600_000, sta="r")
    player.says(10, e="t", ts=START + 10**12, sta="r")
    assert [sample.stalled_ms for sample in player.samples] == [60_000]


def test_beyond_the_bound_half_are_followed_and_each_stands_for_two() -> None:
    player = Player(Limits(sessions=64))
    for number in range(200):
        player.says(number / 100, sid=f"viewer-{number:04}")
    assert len(player.sessions) <= 64
    watching: Counter[str] = Counter()
    for fact in player.facts:
        watching[fact.session_id] = 0 if isinstance(fact, Left) else fact.sampling
    assert set(watching.values()) == {0, 4}
    assert 100 <= watching.total() <= 300  # 200, give or take what a sample may miss


def test_when_the_crowd_has_gone_everybody_is_followed_again() -> None:
    player = Player(Limits(sessions=16))
    for number in range(40):
        player.says(0, sid=f"viewer-{number:04}")
    for second in range(30, 400, 30):
        player.silent_until(second)
    player.says(401, sid="viewer-last")
    assert isinstance(player.facts[-1], Joined)
    assert player.facts[-1].sampling == 1


SIGNS = st.tuples(
    st.integers(0, 15_000),
    st.sampled_from([f"viewer-{number:04}" for number in range(12)]),
    st.sampled_from(["", *sorted(STATES)]),
    st.booleans(),
    st.sampled_from([200, 404]),
)


@given(st.lists(SIGNS, max_size=80), st.integers(1, 12))
def test_of_any_signs_everyone_joins_before_they_are_sampled_and_leaves_at_most_once(
    signs: list[tuple[int, str, str, bool, int]], bound: int
) -> None:
    sessions, facts, now = Sessions(Limits(sessions=bound)), list[Fact](), START
    for gap, sid, state, starved, status in signs:
        now += gap
        facts += sessions.expire(now)
        facts += sessions.observe(Observation(now, "stream", "1", Cmcd(sid=sid, sta=state, bs=starved), status))
        assert len(sessions) <= bound
    facts += sessions.expire(now + 30_000)
    assert len(sessions) == 0
    for sid in {fact.session_id for fact in facts}:
        told = [type(fact).__name__[0] for fact in facts if fact.session_id == sid]
        assert all(visit.startswith("J") and "J" not in visit[1:] for visit in "".join(told).split("L")[:-1])
        assert told[-1] == "L"

"""When a stream's picture moves from one publisher to the other, whatever comes in whatever order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ingest.desk import Role
from ingest.publishing.failover import STALL_S, Failover, Switch

SETTLE_S = 10.0
FRAME_S = 0.5
ROLES: st.SearchStrategy[Role] = st.sampled_from(["primary", "backup"])


def both_send(failover: Failover, from_s: float, to_s: float, silent: Role | None = None) -> list[tuple[float, Switch]]:
    """Both publishers send a keyframe every half second, or one of them does."""
    switches = []
    now_s = from_s
    roles: tuple[Role, ...] = ("primary", "backup")
    while now_s <= to_s:
        for role in roles:
            if role != silent:
                switch = failover.heard(role, now_s, keyframe=True, ready=True)
                switches += [(now_s, switch)] if switch else []
        now_s += FRAME_S
    return switches


def test_nothing_switches_while_the_primary_sends() -> None:
    assert both_send(Failover("primary", 0, SETTLE_S), 0, 100) == []


def test_a_silent_primary_gives_way_within_a_segment() -> None:
    failover = Failover("primary", 0, SETTLE_S)
    both_send(failover, 0, 20)
    ((at_s, switch),) = both_send(failover, 20.5, 25, silent="primary")
    assert switch == Switch("backup", "stalled")
    assert at_s <= 20 + STALL_S + FRAME_S


def test_a_primary_that_never_sent_gives_way_too() -> None:
    ((_, switch),) = both_send(Failover("primary", 0, SETTLE_S), 0, 5, silent="primary")
    assert switch == Switch("backup", "stalled")


def test_a_primary_that_is_back_has_to_settle_first() -> None:
    failover = Failover("backup", 0, SETTLE_S)
    both_send(failover, 0, 5, silent="primary")
    ((at_s, switch),) = both_send(failover, 5.5, 30)
    assert switch == Switch("primary", "primary_back")
    assert at_s == 5.5 + SETTLE_S


def test_a_pause_begins_the_settling_anew() -> None:
    failover = Failover("backup", 0, SETTLE_S)
    assert both_send(failover, 0, 9) == []
    assert both_send(failover, 9.5, 12, silent="primary") == []
    ((at_s, _),) = both_send(failover, 12.5, 30)
    assert at_s == 12.5 + SETTLE_S


def test_a_primary_takes_over_at_a_keyframe_only() -> None:
    failover = Failover("backup", 0, SETTLE_S)
    for tick in range(60):
        failover.heard("backup", tick, keyframe=False, ready=True)
        assert failover.heard("primary", tick, keyframe=False, ready=True) is None
    assert failover.heard("primary", 60, keyframe=True, ready=True) == Switch("primary", "primary_back")


def test_a_backup_with_nothing_ready_takes_nothing_over() -> None:
    failover = Failover("primary", 0, SETTLE_S)
    assert failover.heard("backup", 10, keyframe=False, ready=False) is None
    assert failover.heard("backup", 10.1, keyframe=True, ready=True) == Switch("backup", "stalled")


def test_who_leaves_the_air_leaves_it_to_the_other() -> None:
    assert Failover("primary", 0, SETTLE_S).left("primary", 1, "lost") == Switch("backup", "lost")
    assert Failover("backup", 0, SETTLE_S).left("backup", 1, "unpublished") == Switch("primary", "unpublished")
    assert Failover("primary", 0, SETTLE_S).left("backup", 1, "lost") is None


class Machine(RuleBasedStateMachine):
    """The model remembers when each was last heard, and since when the primary has been steady."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.failover = Failover("primary", 0.0, SETTLE_S)
        self.on_air: Role = "primary"
        self.heard_s: dict[str, float] = {"primary": 0.0}
        self.steady_since_s: dict[str, float] = {"primary": 0.0}

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.4, 1.6, 5.0, 11.0]))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds

    @rule(role=ROLES, keyframe=st.booleans(), had_one=st.booleans())
    def a_frame_comes(self, role: Role, keyframe: bool, had_one: bool) -> None:
        other_s = self.heard_s[self.on_air]
        last_s = self.heard_s.get(role)
        if last_s is None or self.now_s - last_s > STALL_S:
            self.steady_since_s[role] = self.now_s
        self.heard_s[role] = self.now_s
        switch = self.failover.heard(role, self.now_s, keyframe=keyframe, ready=keyframe or had_one)
        if switch is None:
            missed = role != self.on_air and (keyframe or had_one) and self.now_s - other_s > STALL_S
            assert not missed, "a stall was not seen"
            return
        assert switch.to == role != self.on_air, "to who has just been heard"
        assert keyframe or had_one, "to one that could begin"
        if switch.reason == "stalled":
            assert self.now_s - other_s > STALL_S
        else:
            assert role == "primary"
            assert self.now_s - self.steady_since_s["primary"] >= SETTLE_S
        self.on_air = switch.to
        self.heard_s[switch.to] = self.now_s

    @invariant()
    def both_agree_on_who_is_shown(self) -> None:
        assert self.failover.on_air == self.on_air


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)

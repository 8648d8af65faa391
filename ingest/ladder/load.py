"""When a ladder gives up a rung, and when it takes one back. Pure; times in seconds."""

from __future__ import annotations

from enum import Enum

SHED_LAG_S = 1.5
"""Behind the source for longer than this, viewers of a rung would stall."""
QUIET_LAG_S = 0.6
_SHED_AFTER_S = 1.0
_CATCHING_UP_S = 0.25
"""A worker whose lag becomes so much less within that time catches up, and nothing is won by shedding."""
_SETTLE_S = 4.0
"""After a change, before the next is considered."""
QUIET_S = 30.0
_QUIET_MAX_S = 600.0


class Advice(Enum):
    KEEP = "keep"
    SHED = "shed"
    TAKE_BACK = "take back"


class Load:
    """Each rung that had to be shed again doubles the quiet time before the next is taken back."""

    def __init__(self, quiet_s: float = QUIET_S) -> None:
        self._first_quiet_s = self._quiet_s = quiet_s
        self._late_since: float | None = None
        self._late_lag_s = 0.0
        self._quiet_since: float | None = None
        self._changed_at = float("-inf")
        self._took_back = False

    def settle(self, now_s: float) -> None:
        """The worker or some of its encoders start, which takes a while."""
        self._changed_at = now_s

    def observe(self, now_s: float, lag_s: float, shed: int) -> Advice:
        """What to do now; `shed` is how many rungs are away. The caller does it."""
        if lag_s <= SHED_LAG_S:
            self._late_since = None
        elif self._late_since is None or lag_s <= self._late_lag_s - _CATCHING_UP_S:
            self._late_since, self._late_lag_s = now_s, lag_s
        if lag_s >= QUIET_LAG_S:
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = now_s
        if now_s - self._changed_at < _SETTLE_S:
            return Advice.KEEP
        if self._late_since is not None and now_s - self._late_since >= _SHED_AFTER_S:
            self._quiet_s = min(self._quiet_s * 2, _QUIET_MAX_S) if self._took_back else self._quiet_s
            self._change(now_s, took_back=False)
            return Advice.SHED
        if shed and self._quiet_since is not None and now_s - self._quiet_since >= self._quiet_s:
            self._change(now_s, took_back=True)
            return Advice.TAKE_BACK
        if not shed and self._quiet_since is not None and now_s - self._quiet_since >= self._quiet_s:
            self._quiet_s, self._took_back = self._first_quiet_s, False
        return Advice.KEEP

    def _change(self, now_s: float, *, took_back: bool) -> None:
        self._changed_at = now_s
        self._late_since = self._quiet_since = None
        self._took_back = took_back

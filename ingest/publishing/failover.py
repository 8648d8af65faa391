"""Which of a stream's two publishers is shown. Pure: it is told what comes when, and says when to switch.

- Who is on the air and leaves, or is silent for longer than STALL_S while the other is not, gives way to the other.
- The primary that stands by takes over at a keyframe, once it has sent for `settle_s` without such a silence.
"""

from __future__ import annotations

from typing import NamedTuple

from ingest.desk import Role

STALL_S = 1.5
"""Less than a segment, and more than what a network's hiccup takes."""


class Switch(NamedTuple):
    to: Role
    reason: str


class Failover:
    """`on_air` is who is shown; times in seconds of any clock that only moves on."""

    def __init__(self, on_air: Role, now_s: float, settle_s: float) -> None:
        self.on_air: Role = on_air
        self._settle_s = settle_s
        self._heard_s = now_s
        """When the one on the air was last heard."""
        self._standby_heard_s: float | None = None
        self._steady_since_s = now_s

    def heard(self, role: Role, now_s: float, *, keyframe: bool, ready: bool) -> Switch | None:
        """A frame of `role`'s lead track came. `ready`: what was kept of the one that stands by begins with a keyframe;
        `keyframe`: with this very frame.
        """
        if role == self.on_air:
            self._heard_s = now_s
            return None
        if self._standby_heard_s is None or now_s - self._standby_heard_s > STALL_S:
            self._steady_since_s = now_s
        self._standby_heard_s = now_s
        if ready and now_s - self._heard_s > STALL_S:
            return self._switch(role, now_s, "stalled")
        if role == "primary" and keyframe and now_s - self._steady_since_s >= self._settle_s:
            return self._switch(role, now_s, "primary_back")
        return None

    def left(self, role: Role, now_s: float, reason: str) -> Switch | None:
        """One of the two is gone, and the other goes on alone."""
        other: Role = "backup" if role == "primary" else "primary"
        return self._switch(other, now_s, reason) if role == self.on_air else None

    def _switch(self, to: Role, now_s: float, reason: str) -> Switch:
        self._standby_heard_s, self._heard_s = self._heard_s, now_s
        self.on_air = to
        return Switch(to, reason)

"""Two publishers of one stream, and the switch from one to the other."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ingest.desk import Role
from ingest.media.became import RefusedMedia
from ingest.media.live import LiveStream
from ingest.publishing.failover import Failover, Switch


class Air(NamedTuple):
    """What passes from one to the other: the stream's media side, and whether its start was said."""

    live: LiveStream | None
    started: bool


class Publisher(Protocol):
    """One of the two, as `ingest.publishing.holding.Holding` is it."""

    @property
    def role(self) -> Role: ...

    def step_down(self) -> Air:
        """Leave the air to the other."""

    def step_up(self, air: Air, reason: str) -> None:
        """Go on the air with what is ready. Raises RefusedMedia."""

    def part(self) -> None:
        """There is no pair any more."""

    def lose(self) -> None:
        """The stream is another's."""

    def refuse(self, refused: RefusedMedia) -> None:
        """End its connection: what it had ready cannot be taken."""


class Pair:
    """`settle_s`: how long a returned primary must send before it takes over again."""

    def __init__(self, on_air: Publisher, standby: Publisher, now_s: float, settle_s: float) -> None:
        self._publishers = {on_air.role: on_air, standby.role: standby}
        self._failover = Failover(on_air.role, now_s, settle_s)

    def heard(self, role: Role, now_s: float, *, keyframe: bool = False, ready: bool = False) -> bool:
        """A frame of a publisher's lead track came; True when it is on the air now. Raises RefusedMedia."""
        switch = self._failover.heard(role, now_s, keyframe=keyframe, ready=ready)
        if switch is not None:
            self._perform(switch)
        return switch is not None

    def left(self, role: Role, now_s: float, reason: str) -> None:
        """That publisher is gone; the other goes on alone."""
        switch = self._failover.left(role, now_s, reason)
        other = self.dissolve(role)
        if switch is None:
            return
        try:
            self._perform(switch)
        except RefusedMedia as refused:
            other.refuse(refused)

    def dissolve(self, role: Role) -> Publisher:
        """Each is alone again; returns the other one."""
        for publisher in self._publishers.values():
            publisher.part()
        return next(other for known, other in self._publishers.items() if known != role)

    def _perform(self, switch: Switch) -> None:
        down = next(publisher for role, publisher in self._publishers.items() if role != switch.to)
        self._publishers[switch.to].step_up(down.step_down(), switch.reason)

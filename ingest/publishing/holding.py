"""One session's hold of its channel's place, from the accepted publish to the known end.

    STANDBY ◀──pair──▶ PUBLISHING ──vanish──▶ GRACE ──time is up──▶ ENDED
       │                   │                    └──the same key comes back: another holding takes over──▶ ENDED
       │                   └──end, or nothing was played yet──▶ ENDED
       └──either is gone: the other goes on alone──▶ ENDED

Rules:
- A stream that could be played outlives its publisher by the grace; one that could not ends at once, as `no_media`.
- Of two publishers one is shown, and the other's media is kept in reserve. One that leaves ends nothing.
- What the deciders say wins: a rejected start means that the place is lost, and the publisher is cut off.
- The media side is closed once nobody can resume it, and the journal entry goes when the end is known.
"""

from __future__ import annotations

import asyncio
import enum
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from commands.client import Rejected
from ingest.desk import Cut, Role
from ingest.media.became import Became, HealthReport, MediaReady, RefusedMedia
from ingest.media.live import LiveStream
from ingest.media.tag import MediaTag
from ingest.publishing import wishes
from ingest.publishing.journal import Entry, Journal
from ingest.publishing.outbox import Outbox, Outcome, Submitter
from ingest.publishing.pair import Air, Pair
from ingest.publishing.reserve import Reserve


class Phase(enum.Enum):
    STANDBY = enum.auto()
    PUBLISHING = enum.auto()
    GRACE = enum.auto()
    ENDED = enum.auto()


class Reports(Protocol):
    """Where health goes."""

    def report(self, entry: Entry, became: HealthReport) -> None:
        """Never waits and never fails."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What every holding of a process shares."""

    submitter: Submitter
    journal: Journal
    reports: Reports
    node: str
    grace_s: float
    settle_s: float


class Holding:
    """`live` is None for a stream whose media an earlier process had. `forget` is called at the end.

    A holding that shares its stream shares the `outbox` too: what both have to say must stay in order.
    """

    def __init__(
        self,
        entry: Entry,
        tools: Tools,
        live: LiveStream | None,
        forget: Callable[[Holding], None],
        *,
        started: bool,
        cut: Cut | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        self.entry = entry
        self.phase = Phase.PUBLISHING
        self.outbox = outbox or Outbox(tools.submitter)
        self._tools = tools
        self._live = live
        self._forget = forget
        self._started = started
        self._cut = cut
        self._timer: asyncio.TimerHandle | None = None
        self._reserve = Reserve()
        self._pair: Pair | None = None

    @property
    def stream_id(self) -> str:
        return self.entry.stream_id

    @property
    def role(self) -> Role:
        return self.entry.role

    def push(self, tag: MediaTag, now_s: float) -> None:
        """Raises RefusedMedia."""
        if self.phase is Phase.STANDBY:
            self._hold_ready(tag)
            return
        self._reserve.note(tag)
        if self._pair is not None and self._reserve.leads(tag):
            self._pair.heard(self.role, _now_s())
        self._publish(tag, now_s)

    def tick(self, now_s: float) -> None:
        """Time passes, with media or without."""
        if self._live is not None:
            self._report(self._live.tick(now_s))

    def stand_by_for(self, other: Holding) -> None:
        """Take the other's stream over when it is lost or stalls, and the other way round."""
        self.phase = Phase.STANDBY
        self._pair = other._pair = Pair(other, self, _now_s(), self._tools.settle_s)

    def step_down(self) -> Air:
        air = Air(self._live, self._started)
        self._live = None
        self.phase = Phase.STANDBY
        return air

    def step_up(self, air: Air, reason: str) -> None:
        """Raises RefusedMedia."""
        self.phase = Phase.PUBLISHING
        self._live, self._started = air
        self.outbox.put(wishes.switch(self.entry, reason), self._on_answer)
        if self._live is not None:
            self._report(self._live.interrupt())
        now_s = time.time()
        for tag in self._reserve.take():
            self._publish(tag, now_s)

    def part(self) -> None:
        self._pair = None

    def refuse(self, refused: RefusedMedia) -> None:
        if self._cut is not None:
            asyncio.get_running_loop().call_soon(self._cut, "refused_media", refused.message)

    def _hold_ready(self, tag: MediaTag) -> None:
        begins = self._reserve.keep(tag)
        if self._pair is not None and self._reserve.leads(tag):
            self._pair.heard(self.role, _now_s(), keyframe=begins, ready=self._reserve.ready)

    def _publish(self, tag: MediaTag, now_s: float) -> None:
        live = self._live
        if live is None:
            return
        for became in live.push(tag, now_s):
            if isinstance(became, MediaReady):
                self._start(became)
            else:
                self._tools.reports.report(self.entry, became)

    def end(self, reason: str) -> None:
        """The publisher is done, and so is the stream unless another publisher stands by."""
        if self.phase is not Phase.ENDED and not self._leave_to_other(reason, reason):
            self._leave()
            self._end(reason)

    def vanish(self, reason: str) -> None:
        """The publisher is gone without a word."""
        if self.phase in (Phase.GRACE, Phase.ENDED) or self._leave_to_other("lost", reason):
            return
        if not self._started:
            self.end("no_media")
            return
        if self._live is not None:
            self._report(self._live.interrupt())
        self._cut = None
        self.phase = Phase.GRACE
        self.outbox.put(wishes.disconnect(self.entry, reason))
        expiry = "ingest_lost" if reason == "ingest_lost" else "grace_expired"
        self._timer = asyncio.get_running_loop().call_later(self._tools.grace_s, self._expire, expiry)

    def revoke(self) -> None:
        """The key that opened the stream was revoked."""
        cut = self._cut
        self.end("key_revoked")
        if cut is not None:
            cut("key_revoked", "the stream key was revoked")

    def hand_over(self) -> LiveStream | None:
        """The media side, for the holding that goes on with the stream; None when it is closed."""
        live, self._live = self._live, None
        self._over()
        return live

    def lose(self) -> None:
        """Another stream has the channel's place; the deciders ended this one."""
        cut = self._cut
        other = self._pair.dissolve(self.role) if self._pair is not None else None
        self._over()
        if cut is not None:
            cut("superseded", "another publisher took the channel over")
        if other is not None:
            other.lose()

    def abandon(self) -> None:
        """The process ends: the journal entry stays for the next one."""
        self.outbox.abandon()
        if self._timer is not None:
            self._timer.cancel()

    def _start(self, ready: MediaReady) -> None:
        self._started = True
        self.outbox.put(wishes.start(self.entry, self._tools.node, ready), self._on_answer)

    def _leave_to_other(self, why: str, reason: str) -> bool:
        """With another publisher beside it: that one goes on alone, taking over if it has to."""
        pair = self._pair
        if pair is None:
            return False
        self._cut = None
        pair.left(self.role, _now_s(), why)
        self.phase = Phase.ENDED
        self.outbox.put(wishes.disconnect(self.entry, reason), lambda _: self._over())
        return True

    def _on_answer(self, outcome: Outcome) -> None:
        if isinstance(outcome, Rejected) and self.phase is Phase.PUBLISHING:
            self.lose()

    def _expire(self, reason: str) -> None:
        self.phase = Phase.ENDED
        self._end(reason)

    def _end(self, reason: str) -> None:
        self.outbox.put(wishes.end(self.entry, reason), lambda _: self._over())

    def _over(self) -> None:
        self._leave()
        self._tools.journal.remove(self.entry.session_id)
        self._forget(self)

    def _leave(self) -> None:
        self.phase = Phase.ENDED
        self._cut = None
        self._reserve.drop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._live is not None:
            self._report(self._live.close())
            self._live = None

    def _report(self, all_became: list[Became]) -> None:
        """The health in it: media that are ready only now come too late to be played."""
        for became in all_became:
            if not isinstance(became, MediaReady):
                self._tools.reports.report(self.entry, became)


def _now_s() -> float:
    return asyncio.get_running_loop().time()

"""One session's hold of its channel's place, from the accepted publish to the known end.

    PUBLISHING ──vanish──▶ GRACE ──time is up──▶ ENDED
        │                    └──the same key comes back: another holding takes the stream over──▶ ENDED
        └──end, or nothing was played yet──▶ ENDED

Rules:
- A stream that could be played outlives its publisher by the grace; one that could not ends at once, as `no_media`.
- What the deciders say wins: a rejected start means that the place is lost, and the publisher is cut off.
- The media side is closed once nobody can resume it, and the journal entry goes when the end is known.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from commands.client import Rejected
from ingest.desk import Cut
from ingest.health.sample import HealthSample
from ingest.media.became import HealthBecame, MediaReady, RenditionCame, SegmentClosed
from ingest.media.live import LiveStream
from ingest.media.tag import MediaTag
from ingest.publishing import wishes
from ingest.publishing.journal import Entry, Journal
from ingest.publishing.outbox import Outbox, Outcome, Submitter


class Phase(enum.Enum):
    PUBLISHING = enum.auto()
    GRACE = enum.auto()
    ENDED = enum.auto()


class Reports(Protocol):
    """Where health goes; neither call waits or fails."""

    def sampled(self, entry: Entry, sample: HealthSample) -> None: ...

    def changed(self, entry: Entry, became: HealthBecame) -> None: ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What every holding of a process shares."""

    submitter: Submitter
    journal: Journal
    reports: Reports
    node: str
    grace_s: float


class Holding:
    """`live` is None for a stream whose media an earlier process had. `forget` is called at the end."""

    def __init__(
        self,
        entry: Entry,
        tools: Tools,
        live: LiveStream | None,
        forget: Callable[[Holding], None],
        *,
        started: bool,
        cut: Cut | None = None,
    ) -> None:
        self.entry = entry
        self.phase = Phase.PUBLISHING
        self.outbox = Outbox(tools.submitter)
        self._tools = tools
        self._live = live
        self._forget = forget
        self._started = started
        self._cut = cut
        self._timer: asyncio.TimerHandle | None = None

    @property
    def stream_id(self) -> str:
        return self.entry.stream_id

    def push(self, tag: MediaTag, now_s: float) -> None:
        """Raises RefusedMedia."""
        live = self._live
        if live is None:
            return
        for became in live.push(tag, now_s):
            if isinstance(became, SegmentClosed):
                self._tools.reports.sampled(self.entry, became.sample)
            elif isinstance(became, HealthBecame):
                self._tools.reports.changed(self.entry, became)
            elif isinstance(became, MediaReady):
                self._start(became)
            elif isinstance(became, RenditionCame):
                self.outbox.put(wishes.add_rendition(self.entry, became))
            else:
                self.outbox.put(wishes.drop_rendition(self.entry, became))

    def end(self, reason: str) -> None:
        """The stream is over."""
        if self.phase is not Phase.ENDED:
            self._leave()
            self._end(reason)

    def vanish(self, reason: str) -> None:
        """The publisher is gone without a word."""
        if self.phase is not Phase.PUBLISHING:
            return
        if not self._started:
            self.end("no_media")
            return
        if self._live is not None:
            self._live.interrupt()
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
        self._over()
        if cut is not None:
            cut("superseded", "another publisher took the channel over")

    def abandon(self) -> None:
        """The process ends: the journal entry stays for the next one."""
        self.outbox.abandon()
        if self._timer is not None:
            self._timer.cancel()

    def _start(self, ready: MediaReady) -> None:
        self._started = True
        self.outbox.put(wishes.start(self.entry, self._tools.node, ready), self._on_started)

    def _on_started(self, outcome: Outcome) -> None:
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
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._live is not None:
            self._live.close()
            self._live = None

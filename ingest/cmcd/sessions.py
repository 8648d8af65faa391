"""From what players say to playback facts: who joined, how it goes, who left. Pure: time comes with the calls.

The number of sessions is bounded. Beyond the bound only every second, fourth, ... session is kept, chosen by a hash of
its id; each fact says how many sessions it stands for, so that sums stay right.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b

from ingest.cmcd.parse import ENDED, QUIT, Cmcd
from ingest.cmcd.session import Session, begin, follow, reported

SPARSEST = 1024
"""At most so many sessions stand behind one that is kept; beyond, new ones are passed over."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`heartbeat_ms` between two samples, `silence_ms` after which a viewer has left, `sessions` kept at a time."""

    heartbeat_ms: int = 10_000
    silence_ms: int = 30_000
    sessions: int = 20_000


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of a player at `at_ms` (wall clock, ms since 1970); `status` is its request's answer."""

    at_ms: int
    stream_id: str
    channel_id: str
    cmcd: Cmcd
    status: int = 200


@dataclass(frozen=True, slots=True)
class Fact:
    """About one session, at `at_ms`; it stands for `sampling` sessions."""

    at_ms: int
    stream_id: str
    channel_id: str
    session_id: str
    sampling: int


@dataclass(frozen=True, slots=True)
class Joined(Fact):
    """The session's first sign."""


@dataclass(frozen=True, slots=True)
class Sampled(Fact):
    """How it went since the last sample, by so many signs. None is unknown."""

    signs: int
    startup_ms: int | None
    latency_ms: int
    bitrate_kbps: int
    rebuffers: int
    stalled_ms: int
    failures: int
    buffer_ms: int | None
    throughput_kbps: int | None


@dataclass(frozen=True, slots=True)
class Left(Fact):
    """`reason`: ended (the player said so), silent, or sampled_out (still watching, no longer followed).

    `started` is False for a viewer who left before the first frame.
    """

    reason: str
    started: bool


class Sessions:
    """Not for several threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._sessions: OrderedDict[tuple[str, str], Session] = OrderedDict()
        """By stream and session id, the longest silent first."""
        self._sampling = 1
        self._settled_ms = 0
        """Since when the sampling is as it is."""

    def __len__(self) -> int:
        return len(self._sessions)

    def observe(self, seen: Observation) -> list[Fact]:
        """The facts that follow, in order."""
        key = (seen.stream_id, seen.cmcd.sid)
        session = self._sessions.get(key)
        if session is None:
            return self._join(key, seen)
        after = follow(session, seen.at_ms, seen.cmcd, seen.status)
        if seen.cmcd.sta in (ENDED, QUIT):
            del self._sessions[key]
            return self._last(key, after, "ended")
        facts: list[Fact] = []
        if after.seen_ms // self._limits.heartbeat_ms > after.reported_ms // self._limits.heartbeat_ms:
            facts.append(self._sample(key, after, after.seen_ms))
            after = reported(after)
        self._sessions[key] = after
        self._sessions.move_to_end(key)
        return facts

    def expire(self, now_ms: int) -> list[Fact]:
        """What follows from silence until now. Call it every second or so."""
        facts: list[Fact] = []
        while self._sessions:
            key, session = next(iter(self._sessions.items()))
            if now_ms - session.seen_ms < self._limits.silence_ms:
                break
            del self._sessions[key]
            facts += self._last(key, session, "silent")
        if (
            self._sampling > 1
            and len(self._sessions) < self._limits.sessions // 4
            and now_ms - self._settled_ms >= self._limits.silence_ms
        ):
            self._sampling //= 2
            self._settled_ms = now_ms
        return facts

    def _join(self, key: tuple[str, str], seen: Observation) -> list[Fact]:
        if seen.cmcd.sta in (ENDED, QUIT):
            return []
        facts: list[Fact] = []
        while self._is_kept(key) and len(self._sessions) >= self._limits.sessions and self._sampling < SPARSEST:
            facts += self._thin(seen.at_ms)
        if self._is_kept(key) and len(self._sessions) < self._limits.sessions:
            first = begin(seen.channel_id, seen.at_ms, seen.cmcd)
            self._sessions[key] = follow(first, seen.at_ms, seen.cmcd, seen.status)
            facts.append(Joined(seen.at_ms, seen.stream_id, seen.channel_id, seen.cmcd.sid, self._sampling))
        return facts

    def _is_kept(self, key: tuple[str, str]) -> bool:
        return int.from_bytes(blake2b(key[1].encode(), digest_size=8).digest()) % self._sampling == 0

    def _thin(self, at_ms: int) -> list[Fact]:
        """Keep every second session; the others are counted by these from now on."""
        weight = self._sampling
        self._sampling *= 2
        self._settled_ms = at_ms
        gone = [key for key in self._sessions if not self._is_kept(key)]
        facts: list[Fact] = []
        for key in gone:
            session = self._sessions.pop(key)
            facts.append(Left(at_ms, key[0], session.channel_id, key[1], weight, "sampled_out", started=True))
        facts += [self._sample(key, session, at_ms) for key, session in self._sessions.items()]
        self._sessions = OrderedDict((key, reported(session)) for key, session in self._sessions.items())
        return facts

    def _last(self, key: tuple[str, str], session: Session, reason: str) -> list[Fact]:
        facts: list[Fact] = [self._sample(key, session, session.seen_ms)] if session.signs else []
        started = session.starting_ms is None
        return [*facts, Left(session.seen_ms, key[0], session.channel_id, key[1], self._sampling, reason, started)]

    def _sample(self, key: tuple[str, str], session: Session, at_ms: int) -> Sampled:
        return Sampled(
            at_ms=at_ms,
            stream_id=key[0],
            channel_id=session.channel_id,
            session_id=key[1],
            sampling=self._sampling,
            signs=session.signs,
            startup_ms=None if session.startup_told else session.startup_ms,
            latency_ms=session.latency_ms,
            bitrate_kbps=session.bitrate_kbps,
            rebuffers=session.rebuffers,
            stalled_ms=session.stalled_ms,
            failures=session.failures,
            buffer_ms=session.buffer_ms,
            throughput_kbps=session.throughput_kbps,
        )

"""One player's playback as its CMCD tells it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ingest.cmcd.parse import FAILED, PAUSED, PLAYING, PRELOADING, REBUFFERING, STARTING, Cmcd

LONGEST_STALL_MS = 60_000
"""Of a stall between two signs of a player; a longer one is a clock that was set, or a sleeping laptop."""

LONGEST_STARTUP_MS = 600_000
_MEDIA = ("a", "v", "av")
_ERROR = "e"


@dataclass(frozen=True, slots=True)
class Session:
    """`seen_ms` and `reported_ms` are our clock's; `clock_ms` is the player's own where it sends one.

    The counts are since the last sample, the other values the latest.
    """

    channel_id: str
    seen_ms: int
    reported_ms: int
    """When the last sample was taken, or the session began."""
    clock_ms: int
    starting_ms: int | None
    """Since when it starts, by `clock_ms`; None when it plays, or was first seen in the middle."""
    signs: int = 0
    state: str = ""
    startup_ms: int | None = None
    startup_told: bool = False
    latency_ms: int = 0
    bitrate_kbps: int = 0
    buffer_ms: int | None = None
    throughput_kbps: int | None = None
    rebuffers: int = 0
    stalled_ms: int = 0
    failures: int = 0


def begin(channel_id: str, at_ms: int, first: Cmcd) -> Session:
    """A session that `first` is the first sign of; it has yet to be followed."""
    clock_ms = at_ms if first.ts is None else first.ts
    # hls.js sends its first report before it has a state.
    stateless = not first.sta and (bool(first.e) or first.su or first.ot in ("m", "i"))
    starts = first.sta in (STARTING, PRELOADING) or stateless
    return Session(channel_id, at_ms, at_ms, clock_ms, clock_ms if starts else None)


def follow(session: Session, at_ms: int, cmcd: Cmcd, status: int) -> Session:
    """The session after one more sign of it. Signs may come late: time does not run back."""
    clock_ms = max(session.clock_ms, at_ms if cmcd.ts is None else cmcd.ts)
    state = cmcd.sta or session.state
    stalled_ms, rebuffers = session.stalled_ms, session.rebuffers
    if session.state == REBUFFERING:
        stalled_ms += min(clock_ms - session.clock_ms, LONGEST_STALL_MS)
    elif state == REBUFFERING:
        rebuffers += 1
    if cmcd.bs and not state:  # a player that tells its state has told of the stall by it
        rebuffers += 1
        stalled_ms += min(cmcd.bsd or 0, LONGEST_STALL_MS)
    starting_ms, startup_ms = _startup(session, cmcd, clock_ms)
    return replace(
        session,
        seen_ms=max(session.seen_ms, at_ms),
        signs=session.signs + 1,
        clock_ms=clock_ms,
        starting_ms=starting_ms,
        state=state,
        startup_ms=startup_ms,
        latency_ms=session.latency_ms if cmcd.ltc is None else cmcd.ltc,
        bitrate_kbps=session.bitrate_kbps if cmcd.br is None else cmcd.br,
        buffer_ms=session.buffer_ms if cmcd.bl is None else cmcd.bl,
        throughput_kbps=session.throughput_kbps if cmcd.mtp is None else cmcd.mtp,
        rebuffers=rebuffers,
        stalled_ms=stalled_ms,
        failures=session.failures + _failed(session, cmcd, status),
    )


def reported(session: Session) -> Session:
    """The session after a sample was taken of it."""
    return replace(
        session,
        reported_ms=session.seen_ms,
        signs=0,
        startup_told=session.startup_ms is not None,
        rebuffers=0,
        stalled_ms=0,
        failures=0,
    )


def _startup(session: Session, cmcd: Cmcd, clock_ms: int) -> tuple[int | None, int | None]:
    """Since when it still starts, and how long it took."""
    if session.startup_ms is not None:
        return None, session.startup_ms
    if cmcd.msd is not None:
        return None, min(cmcd.msd, LONGEST_STARTUP_MS)
    if session.starting_ms is None or cmcd.sta == PAUSED:  # a viewer who pauses before the start waits by choice
        return None, None
    plays = cmcd.sta == PLAYING or (not cmcd.sta and cmcd.ot in _MEDIA and not cmcd.su)
    if not plays:
        return session.starting_ms, None
    return None, min(clock_ms - session.starting_ms, LONGEST_STARTUP_MS)


def _failed(session: Session, cmcd: Cmcd, status: int) -> int:
    """An error is told by a state, by an event, or by both: it counts once."""
    broke = session.state != FAILED and (cmcd.sta == FAILED or cmcd.e == _ERROR)
    return int(broke) + int(status >= 400)

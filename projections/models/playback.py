"""Who watches, and how well. Retention may have taken a viewer's first events: any event makes the row."""

from __future__ import annotations

from projections.contract import Fields
from projections.tables import Change, Model, Table

VIEWERS = Table(
    "viewers",
    {
        "stream_id": "text",
        "viewer_session_id": "text",
        "channel_id": "text",
        "joined_at": "timestamptz",
        "last_seen_at": "timestamptz",
        "left_at": "timestamptz",
        "latency_ms": "int",
        "stalled_ms": "int",
        "bitrate_kbps": "int",
        "sampling": "int",
    },
    key_width=2,
    once=frozenset({"joined_at"}),
    since="joined_at",
    indexes=("(stream_id, last_seen_at DESC)",),
)

_JOINED = frozenset({"joined_at", "last_seen_at", "left_at", "sampling"})
_SAMPLED = frozenset({"joined_at", "last_seen_at", "latency_ms", "stalled_ms", "bitrate_kbps", "sampling"})
_LEFT = frozenset({"joined_at", "last_seen_at", "left_at"})


def _viewer_joined(e: Fields) -> Change:
    at = e["occurred_at"]
    return Change(VIEWERS, (*_key(e), at, at, None, 0, 0, 0, e["sampling"]), _JOINED)


def _playback_sampled(e: Fields) -> Change:
    at = e["occurred_at"]
    measured = (e["latency_ms"], e["stalled_ms"], e["bitrate_kbps"])
    return Change(VIEWERS, (*_key(e), at, at, None, *measured, e["sampling"]), _SAMPLED)


def _viewer_left(e: Fields) -> Change:
    at = e["occurred_at"]
    return Change(VIEWERS, (*_key(e), at, at, at, 0, 0, 0, e["sampling"]), _LEFT)


def _key(e: Fields) -> tuple[str, str, str]:
    return e["stream_id"], e["viewer_session_id"], e["channel_id"]


MODEL = Model(
    name="playback",
    topic="playback",
    tables=(VIEWERS,),
    on={"ViewerJoined": _viewer_joined, "PlaybackSampled": _playback_sampled, "ViewerLeft": _viewer_left},
    revision=2,
)

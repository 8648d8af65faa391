"""Playback facts as events. Pure: the same fact is the same event, id and all, however often it is told."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from ingest.cmcd.sessions import Fact, Joined, Left, Sampled
from schemas.events.playback import PlaybackEvent, PlaybackSampled, ViewerJoined, ViewerLeft

Source = Literal["cmcd", "cdn"]

_FACTS = uuid.UUID("0d3c9a52-5f0c-5b1e-8b7d-6a1f2f0c7e41")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def event_of(fact: Fact, source: Source) -> PlaybackEvent:
    """The event that tells the fact. Its id is a UUIDv5 of what the fact is about, so readers drop a repeated one."""
    head: dict[str, Any] = {
        "event_id": _event_id(fact, source),
        "occurred_at": _EPOCH + timedelta(milliseconds=fact.at_ms),
        "actor": "system:ingest",
        "correlation_id": fact.session_id,
        "stream_id": fact.stream_id,
        "channel_id": fact.channel_id,
        "viewer_session_id": fact.session_id,
        "source": source,
        "sampling": fact.sampling,
    }
    match fact:
        case Joined():
            return ViewerJoined(**head)
        case Left():
            return ViewerLeft(**head, reason=fact.reason, started=fact.started)
        case Sampled():
            return PlaybackSampled(
                **head,
                latency_ms=fact.latency_ms,
                stalled_ms=fact.stalled_ms,
                bitrate_kbps=fact.bitrate_kbps,
                startup_ms=fact.startup_ms,
                rebuffers=fact.rebuffers,
                failures=fact.failures,
                buffer_ms=fact.buffer_ms,
                throughput_kbps=fact.throughput_kbps,
            )
    raise TypeError(fact)


def _event_id(fact: Fact, source: Source) -> str:
    about = [source, fact.stream_id, fact.session_id, type(fact).__name__, str(fact.at_ms)]
    if isinstance(fact, Sampled):
        about += [str(fact.signs), str(fact.sampling)]  # several samples may be of one millisecond
    return str(uuid.uuid5(_FACTS, "\n".join(about)))

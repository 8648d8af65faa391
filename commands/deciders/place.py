"""A channel's one place to publish, as `streams` remembers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from commands.deciders.envelope import caused_by
from commands.deciders.recordings import Recordings
from commands.deciders.renditions import Renditions
from commands.rejection import Rejected
from schemas.commands.streams import StreamCommand
from schemas.events.channels import PUBLIC
from schemas.events.streams import StreamEnded


@dataclass(frozen=True, slots=True)
class StreamKey:
    key_id: str
    key_hash: str


@dataclass(frozen=True, slots=True)
class Standby:
    session_id: str
    role: str


@dataclass(frozen=True, slots=True)
class Place:
    """Held by one RTMP session for one stream; `disconnected_at` is set while nobody publishes."""

    stream_id: str
    session_id: str
    node: str
    key_id: str
    held_since: datetime
    started: bool = False
    pictured: bool = False
    disconnected_at: datetime | None = None
    renditions: Renditions = ()
    playback_policy: str = PUBLIC
    """The channel's as the stream began: it decides the stream's URLs, so it stays while the stream lasts."""
    role: str = "primary"
    standby: Standby | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """`keys` are the valid ones."""

    place: Place | None = None
    keys: tuple[StreamKey, ...] = ()
    title: str = ""
    category: str = ""
    language: str = ""
    recordings: Recordings = field(default_factory=Recordings)
    playback_policy: str = PUBLIC


def held_place(stream_id: str, session_id: str, channel: Channel) -> Place:
    place = channel.place
    if place is None:
        raise Rejected("not_live", "nobody holds the channel")
    if (place.stream_id, place.session_id) != (stream_id, session_id):
        raise Rejected("wrong_session", "another session holds the channel")
    return place


def ended(command: StreamCommand, place: Place, reason: str, index: int = 0) -> StreamEnded:
    return StreamEnded(
        **caused_by(command, index),
        stream_id=place.stream_id,
        channel_id=command.channel_id,
        session_id=place.session_id,
        reason=reason,
    )

"""A channel's one place to publish, and who holds it.

    free ──AuthorisePublish──▶ authorised ──StartStream──▶ live ──DisconnectPublisher──▶ disconnected
     ▲                          (no media for a grace:         ◀──AuthorisePublish within the grace, same key
     │                           anybody may take over)            and node: the same stream goes on────┘
     └──────────────EndStream by the holder; or AuthorisePublish that takes the place over───────┘

Beside the holder, a publisher of the other role (primary or backup) may stand by, with the same key and on the same
node: StandbyAuthorised. SwitchIngest makes it the holder and the holder the one that stands by; which of the two sends
the better picture, ingest sees. A stream that loses its only publisher is disconnected, whichever role that had.

A place is taken over, its stream ended first, when its publisher is disconnected and the stream cannot be resumed, when
no media came for a grace, or when its key was revoked: resetting the key frees a channel whose ingest node is lost.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from commands.deciders import recordings
from commands.deciders.envelope import caused_by
from commands.deciders.recordings import Recordings
from commands.rejection import Rejected
from schemas.commands.streams import (
    AuthorisePublish,
    DisconnectPublisher,
    EndStream,
    PublishThumbnail,
    StartStream,
    StreamCommand,
    SwitchIngest,
)
from schemas.events.accounts import StreamKeyIssued, StreamKeyRevoked
from schemas.events.channels import PUBLIC, ChannelUpdated
from schemas.events.streams import (
    IngestSwitched,
    PublishAuthorised,
    PublisherDisconnected,
    StandbyAuthorised,
    StandbyDisconnected,
    StreamEnded,
    StreamStarted,
    ThumbnailPublished,
)
from schemas.message import Command, Event

DEFAULT_GRACE = timedelta(seconds=20)


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


def initial_state() -> Channel:
    return Channel()


def decide(command: Command, channel: Channel, grace: timedelta = DEFAULT_GRACE) -> Sequence[Event]:
    match command:
        case AuthorisePublish():
            return _authorise(command, channel, grace)
        case StartStream():
            return _start(command, channel)
        case PublishThumbnail():
            return _publish_thumbnail(command, channel)
        case DisconnectPublisher():
            return _disconnect(command, channel)
        case SwitchIngest():
            return _switch(command, channel)
        case EndStream():
            place = _held_place(command.stream_id, command.session_id, channel)
            return [_ended(command, place, command.reason)]
        case _ if isinstance(command, recordings.COMMANDS):
            live = channel.place.stream_id if channel.place and channel.place.started else ""
            return recordings.decide(command, channel.recordings, live)
    raise TypeError(f"{type(command).__name__} is no command on streams")


def evolve(channel: Channel, event: Event) -> Channel:
    match event:
        case PublishAuthorised():
            place = Place(
                stream_id=event.stream_id,
                session_id=event.session_id,
                node=event.node,
                key_id=event.key_id,
                held_since=event.occurred_at,
                started=event.resumed,
                pictured=event.resumed and channel.place is not None and channel.place.pictured,
                playback_policy=event.playback_policy,
                role=event.role,
            )
            return replace(channel, place=place)
        case StandbyAuthorised() if channel.place:
            return replace(channel, place=replace(channel.place, standby=Standby(event.session_id, event.role)))
        case StandbyDisconnected() if channel.place:
            return replace(channel, place=replace(channel.place, standby=None))
        case IngestSwitched() if channel.place:
            return replace(channel, place=_switched(channel.place, event))
        case StreamStarted() if channel.place:
            return replace(channel, place=replace(channel.place, started=True))
        case ThumbnailPublished() if channel.place:
            return replace(channel, place=replace(channel.place, pictured=True))
        case PublisherDisconnected() if channel.place:
            return replace(channel, place=replace(channel.place, disconnected_at=event.occurred_at))
        case StreamEnded():
            return replace(channel, place=None)
        case StreamKeyIssued():
            return replace(channel, keys=(*channel.keys, StreamKey(event.key_id, event.key_hash)))
        case StreamKeyRevoked():
            return replace(channel, keys=tuple(key for key in channel.keys if key.key_id != event.key_id))
        case ChannelUpdated():
            return replace(
                channel,
                title=event.title,
                category=event.category,
                language=event.language,
                playback_policy=event.playback_policy,
            )
    kept = recordings.evolve(channel.recordings, event)
    return channel if kept is channel.recordings else replace(channel, recordings=kept)


def reply(event: Event) -> dict[str, str]:
    if isinstance(event, PublishAuthorised):
        return {
            "stream_id": event.stream_id,
            "resumed": "true" if event.resumed else "false",
            "key_id": event.key_id,
            "playback_policy": event.playback_policy,
        }
    if isinstance(event, StandbyAuthorised):
        return {"stream_id": event.stream_id, "standby": "true", "key_id": event.key_id}
    return recordings.reply(event)


def _authorise(command: AuthorisePublish, channel: Channel, grace: timedelta) -> Sequence[Event]:
    key_id = _valid_key(command.key_hash, channel)
    place = channel.place
    if place is None:
        return [_begun(command, key_id, channel)]
    if command.session_id in (place.session_id, place.standby and place.standby.session_id):
        return []
    if _may_resume(command, place, key_id, grace):
        return [_authorised(command, key_id, place.stream_id, place.playback_policy, resumed=True)]
    if _may_stand_by(command, place, key_id):
        return [_standing_by(command, key_id, place.stream_id)]
    reason = _reason_to_take_over(command, place, channel, grace)
    if reason is None:
        raise Rejected("already_live", _why_taken(command, place, key_id))
    return [
        _ended(command, place, reason, index=1),
        _begun(command, key_id, channel),
    ]


def _valid_key(key_hash: str, channel: Channel) -> str:
    matching = [key.key_id for key in channel.keys if hmac.compare_digest(key.key_hash.encode(), key_hash.encode())]
    if not matching:
        raise Rejected("bad_stream_key", "the stream key is not valid; take the current one from the dashboard")
    return matching[0]


def _may_resume(command: AuthorisePublish, place: Place, key_id: str, grace: timedelta) -> bool:
    return (
        place.started
        and place.disconnected_at is not None
        and command.issued_at - place.disconnected_at <= grace
        and place.key_id == key_id
        and place.node == command.node  # the segments so far lie there
    )


def _may_stand_by(command: AuthorisePublish, place: Place, key_id: str) -> bool:
    return (
        place.disconnected_at is None
        and place.standby is None
        and place.role != command.role
        and place.key_id == key_id
        and place.node == command.node  # the media of both has to meet
    )


def _why_taken(command: AuthorisePublish, place: Place, key_id: str) -> str:
    if place.role != command.role and place.standby is None and place.key_id == key_id:
        return f"the other publisher sends to node {place.node}, this one came to {command.node}; send both to one"
    which = "a publisher" if command.role == "primary" else "a backup publisher"
    since = f"{place.held_since:%H:%M:%S} UTC"
    if command.role in (place.role, place.standby and place.standby.role):
        return f"{which} holds the channel since {since}; stop it or reset the stream key"
    return f"the channel is live since {since} with another stream key; use that one for the {command.role} too"


def _reason_to_take_over(command: AuthorisePublish, place: Place, channel: Channel, grace: timedelta) -> str | None:
    if all(key.key_id != place.key_id for key in channel.keys):
        return "key_revoked"
    if not place.started:
        waited = command.issued_at - place.held_since
        return "no_media" if place.disconnected_at is not None or waited > grace else None
    if place.disconnected_at is None:
        return None
    return "grace_expired" if command.issued_at - place.disconnected_at > grace else "superseded"


def _start(command: StartStream, channel: Channel) -> Sequence[Event]:
    place = _held_place(command.stream_id, command.session_id, channel)
    if place.disconnected_at is not None:
        raise Rejected("not_live", "this session was disconnected; publish again")
    if place.started:
        return []
    return [
        StreamStarted(
            **caused_by(command),
            stream_id=command.stream_id,
            channel_id=command.channel_id,
            session_id=command.session_id,
            node=command.node,
            playback_path=command.playback_path,
            title=channel.title,
            category=channel.category,
            language=channel.language,
            video_codec=command.video_codec,
            audio_codec=command.audio_codec,
            width=command.width,
            height=command.height,
            frame_rate=command.frame_rate,
            playback_policy=place.playback_policy,
        )
    ]


def _publish_thumbnail(command: PublishThumbnail, channel: Channel) -> Sequence[Event]:
    """The stream's and not a session's: a picture may be ready when another session goes on with the stream."""
    place = channel.place
    if place is None or place.stream_id != command.stream_id or not place.started:
        raise Rejected("not_live", "the stream is not live; it has no thumbnail")
    if place.pictured:
        return []
    return [
        ThumbnailPublished(
            **caused_by(command), stream_id=place.stream_id, channel_id=command.channel_id, path=command.path
        )
    ]


def _disconnect(command: DisconnectPublisher, channel: Channel) -> Sequence[Event]:
    place = channel.place
    if (
        place
        and place.standby
        and (place.stream_id, place.standby.session_id)
        == (
            command.stream_id,
            command.session_id,
        )
    ):
        return [_standby_left(command, place.stream_id, command.session_id, command.reason)]
    place = _held_place(command.stream_id, command.session_id, channel)
    if place.disconnected_at is not None:
        return []
    return [
        PublisherDisconnected(
            **caused_by(command),
            stream_id=place.stream_id,
            channel_id=command.channel_id,
            session_id=place.session_id,
            reason=command.reason,
        )
    ]


def _switch(command: SwitchIngest, channel: Channel) -> Sequence[Event]:
    place = channel.place
    if place is None:
        raise Rejected("not_live", "nobody holds the channel")
    if (place.stream_id, place.session_id) == (command.stream_id, command.session_id):
        return []
    standby = place.standby
    if standby is None or (place.stream_id, standby.session_id) != (command.stream_id, command.session_id):
        raise Rejected("wrong_session", "this session does not stand by for that stream")
    switched = IngestSwitched(
        **caused_by(command),
        stream_id=place.stream_id,
        channel_id=command.channel_id,
        session_id=standby.session_id,
        from_role=place.role,
        to_role=standby.role,
        reason=command.reason,
    )
    if place.disconnected_at is None:
        return [switched]
    return [switched, _standby_left(command, place.stream_id, place.session_id, command.reason, index=1)]


def _switched(place: Place, event: IngestSwitched) -> Place:
    left = Standby(place.session_id, place.role)
    return replace(place, session_id=event.session_id, role=event.to_role, standby=left, disconnected_at=None)


def _standby_left(
    command: StreamCommand, stream_id: str, session_id: str, reason: str, index: int = 0
) -> StandbyDisconnected:
    return StandbyDisconnected(
        **caused_by(command, index),
        stream_id=stream_id,
        channel_id=command.channel_id,
        session_id=session_id,
        reason=reason,
    )


def _held_place(stream_id: str, session_id: str, channel: Channel) -> Place:
    place = channel.place
    if place is None:
        raise Rejected("not_live", "nobody holds the channel")
    if (place.stream_id, place.session_id) != (stream_id, session_id):
        raise Rejected("wrong_session", "another session holds the channel")
    return place


def _begun(command: AuthorisePublish, key_id: str, channel: Channel) -> PublishAuthorised:
    return _authorised(command, key_id, command.stream_id, channel.playback_policy, resumed=False)


def _authorised(
    command: AuthorisePublish, key_id: str, stream_id: str, playback_policy: str, *, resumed: bool
) -> PublishAuthorised:
    return PublishAuthorised(
        **caused_by(command),
        stream_id=stream_id,
        channel_id=command.channel_id,
        session_id=command.session_id,
        node=command.node,
        key_id=key_id,
        resumed=resumed,
        playback_policy=playback_policy,
        role=command.role,
    )


def _standing_by(command: AuthorisePublish, key_id: str, stream_id: str) -> StandbyAuthorised:
    return StandbyAuthorised(
        **caused_by(command),
        stream_id=stream_id,
        channel_id=command.channel_id,
        session_id=command.session_id,
        node=command.node,
        key_id=key_id,
        role=command.role,
    )


def _ended(command: StreamCommand, place: Place, reason: str, index: int = 0) -> StreamEnded:
    return StreamEnded(
        **caused_by(command, index),
        stream_id=place.stream_id,
        channel_id=command.channel_id,
        session_id=place.session_id,
        reason=reason,
    )

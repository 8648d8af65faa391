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

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from commands.deciders import recordings, renditions
from commands.deciders.envelope import caused_by
from commands.deciders.place import Channel, Place, Standby, StreamKey, ended, held_place
from commands.deciders.publishing import authorise
from commands.rejection import Rejected
from schemas.commands.streams import (
    AddRendition,
    AuthorisePublish,
    DisconnectPublisher,
    DropRendition,
    EndStream,
    PublishThumbnail,
    StartStream,
    StreamCommand,
    SwitchIngest,
)
from schemas.events.accounts import StreamKeyIssued, StreamKeyRevoked
from schemas.events.channels import ChannelUpdated
from schemas.events.streams import (
    IngestSwitched,
    PublishAuthorised,
    PublisherDisconnected,
    RenditionAdded,
    RenditionDropped,
    StandbyAuthorised,
    StandbyDisconnected,
    StreamEnded,
    StreamStarted,
    ThumbnailPublished,
)
from schemas.message import Command, Event

DEFAULT_GRACE = timedelta(seconds=20)


def initial_state() -> Channel:
    return Channel()


def decide(command: Command, channel: Channel, grace: timedelta = DEFAULT_GRACE) -> Sequence[Event]:
    match command:
        case AuthorisePublish():
            return authorise(command, channel, grace)
        case StartStream():
            return _start(command, channel)
        case PublishThumbnail():
            return _publish_thumbnail(command, channel)
        case DisconnectPublisher():
            return _disconnect(command, channel)
        case SwitchIngest():
            return _switch(command, channel)
        case EndStream():
            place = held_place(command.stream_id, command.session_id, channel)
            return [ended(command, place, command.reason)]
        case AddRendition() | DropRendition():
            return _rendition(command, channel)
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
                renditions=channel.place.renditions if event.resumed and channel.place else (),
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
        case RenditionAdded() | RenditionDropped() if channel.place:
            present = renditions.evolve(channel.place.renditions, event)
            return replace(channel, place=replace(channel.place, renditions=present))
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


def _start(command: StartStream, channel: Channel) -> Sequence[Event]:
    place = held_place(command.stream_id, command.session_id, channel)
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
    place = held_place(command.stream_id, command.session_id, channel)
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


def _rendition(command: AddRendition | DropRendition, channel: Channel) -> Sequence[Event]:
    place = held_place(command.stream_id, command.session_id, channel)
    if not place.started:
        raise Rejected("not_live", "the stream has not started; say StartStream first")
    if isinstance(command, AddRendition):
        return renditions.add(command, place.renditions)
    return renditions.drop(command, place.renditions)


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

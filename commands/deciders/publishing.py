"""Who may publish: take the channel's place, go on with its stream, or stand by."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import timedelta

from commands.deciders.envelope import caused_by
from commands.deciders.place import Channel, Place, ended
from commands.rejection import Rejected
from schemas.commands.streams import AuthorisePublish
from schemas.events.streams import PublishAuthorised, StandbyAuthorised
from schemas.message import Event


def authorise(command: AuthorisePublish, channel: Channel, grace: timedelta) -> Sequence[Event]:
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
        ended(command, place, reason, index=1),
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

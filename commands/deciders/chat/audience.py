"""What an audience does besides speaking: it reacts, and it comes as a raid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from commands.deciders.chat.emoting import emotes_of
from commands.deciders.chat.room import Room
from commands.deciders.chat.speaking import require_admitted, require_slow, wait
from commands.deciders.chat.talk import Speaker
from commands.deciders.envelope import caused_by
from commands.rejection import Rejected
from schemas.commands.chat import Raid, React
from schemas.events.chat import RaidReceived, Reacted
from schemas.message import Event

REACTION_RATE = 60
"""In 30 s."""
MAX_RAID_VIEWERS = 10_000_000
RAID_SPAN = timedelta(minutes=10)
"""Within which a channel raids another once: everybody is told of a raid, whatever the room's modes."""


def react(command: React, room: Room) -> Sequence[Event]:
    require_admitted(command.actor, command.channel_id, room, command.issued_at)
    require_slow(room.talk.reactors.get(command.actor) or Speaker(), REACTION_RATE, command.issued_at)
    if command.emote not in emotes_of(room, command.actor):
        raise Rejected("unknown_emote", "there is no such emote that you may say here")
    if command.message_id is not None and room.talk.messages.get(command.message_id) is None:
        raise Rejected("unknown_message", "the message is not there any more")
    return [
        Reacted(
            **caused_by(command),
            channel_id=command.channel_id,
            reactor_id=command.actor,
            emote=command.emote,
            message_id=command.message_id,
        )
    ]


def raid(command: Raid, room: Room) -> Sequence[Event]:
    require_admitted(command.actor, command.channel_id, room, command.issued_at)
    if command.actor == command.channel_id:
        raise Rejected("cannot_raid_self", "nobody raids their own channel")
    if not 0 <= command.viewers <= MAX_RAID_VIEWERS:
        raise Rejected("bad_viewers", f"a raid has 0 to {MAX_RAID_VIEWERS} viewers")
    last = room.talk.raids.get(command.actor)
    if last is not None and command.issued_at - last < RAID_SPAN:
        raise wait("raid_ratelimit", "you raided this channel a moment ago", last + RAID_SPAN, command.issued_at)
    return [
        RaidReceived(
            **caused_by(command),
            channel_id=command.channel_id,
            from_id=command.actor,
            from_login=command.from_login,
            viewers=command.viewers,
            from_name=command.from_name,
        )
    ]

"""Taking back what was said, and deciding on what AutoMod holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from commands.deciders.chat.emoting import badges_of, emotes_in, emotes_of
from commands.deciders.chat.room import Room
from commands.deciders.envelope import caused_by
from commands.deciders.roles import may_moderate, require_moderator
from commands.rejection import Rejected
from schemas.commands.chat import ClearChat, DeleteMessage, ResolveHeldMessage
from schemas.events.chat import ChatCleared, HeldMessageResolved, MessageDeleted, MessageHeld, MessageSent
from schemas.events.lessons import LessonTaught
from schemas.message import Event

HELD_FOR = timedelta(minutes=5)


def delete(command: DeleteMessage, room: Room) -> Sequence[Event]:
    said = room.talk.messages.get(command.message_id)
    if said is None:
        raise Rejected("unknown_message", "there is no such message, or it is too old to be taken back")
    if said.sender_id != command.actor:
        require_moderator(command, room.roles, command.channel_id)
        if command.actor != command.channel_id and may_moderate(room.roles, command.channel_id, said.sender_id):
            raise Rejected("unauthorised", "only the channel's owner takes back what moderators say")
    return [
        MessageDeleted(
            **caused_by(command),
            channel_id=command.channel_id,
            message_id=command.message_id,
            sender_id=said.sender_id,
        )
    ]


def clear(command: ClearChat, room: Room) -> Sequence[Event]:
    require_moderator(command, room.roles, command.channel_id)
    return [ChatCleared(**caused_by(command), channel_id=command.channel_id)]


def resolve(command: ResolveHeldMessage, room: Room) -> Sequence[Event]:
    require_moderator(command, room.roles, command.channel_id)
    held = room.talk.held.get(command.message_id)
    if held is None or command.issued_at - held.occurred_at > HELD_FOR:
        minutes = int(HELD_FOR.total_seconds()) // 60
        raise Rejected("unknown_held_message", f"no such message is held; after {minutes} minutes it is too late")
    taught = LessonTaught(
        **caused_by(command),
        channel_id=command.channel_id,
        message_id=held.message_id,
        sender_id=held.sender_id,
        text=held.text,
        allowed=command.allowed,
    )
    resolved = HeldMessageResolved(
        **caused_by(command, 1),
        channel_id=command.channel_id,
        message_id=held.message_id,
        sender_id=held.sender_id,
        allowed=command.allowed,
    )
    return [taught, resolved, *([_sent(command, held, room)] if command.allowed else ())]


def _sent(command: ResolveHeldMessage, held: MessageHeld, room: Room) -> MessageSent:
    return MessageSent(
        **caused_by(command, 2),
        channel_id=held.channel_id,
        message_id=held.message_id,
        sender_id=held.sender_id,
        sender_login=held.sender_login,
        sender_name=held.sender_name,
        text=held.text,
        reply_parent_id=held.reply_parent_id,
        badges=badges_of(room, held.channel_id, held.sender_id, command.issued_at),
        emotes=emotes_in(held.text, emotes_of(room, held.sender_id)),
    )

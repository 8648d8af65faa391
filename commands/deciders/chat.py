"""What may be said in a channel. Nothing is kept of what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commands.deciders.envelope import caused_by
from commands.identity import derived_id
from commands.rejection import Rejected
from schemas.commands.chat import SendMessage
from schemas.events.accounts import UserRegistered
from schemas.events.chat import MessageSent
from schemas.message import Command, Event

MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class Room:
    exists: bool = False


def initial_state() -> Room:
    return Room()


def decide(command: Command, room: Room) -> Sequence[Event]:
    if not isinstance(command, SendMessage):
        raise TypeError(f"{type(command).__name__} is no command on chat")
    if not room.exists:
        raise Rejected("unknown_channel", "there is no such channel")
    text = command.text.strip()
    if len(text) > MAX_TEXT:
        raise Rejected("msg_too_long", f"a message has at most {MAX_TEXT} characters")
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise Rejected("msg_rejected", "a message says something")
    return [
        MessageSent(
            **caused_by(command),
            channel_id=command.channel_id,
            message_id=derived_id(command.command_id, 0),
            sender_id=command.actor,
            sender_login=command.sender_login,
            text=text,
            reply_parent_id=command.reply_parent_id,
        )
    ]


def evolve(room: Room, event: Event) -> Room:
    return Room(exists=True) if isinstance(event, UserRegistered) else room


def reply(event: Event) -> dict[str, str]:
    return {"message_id": event.message_id} if isinstance(event, MessageSent) else {}

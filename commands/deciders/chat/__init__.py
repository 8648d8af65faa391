"""What may be said in a channel, and what becomes of it. What was said is kept only as far back as the rules look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from commands.deciders.chat import audience, moderating, speaking
from commands.deciders.chat.room import Room, evolve, initial_state
from commands.rejection import Rejected
from schemas.commands.chat import Announce, ClearChat, DeleteMessage, Raid, React, ResolveHeldMessage, SendMessage
from schemas.events.chat import MessageHeld, MessageRefused, MessageSent
from schemas.message import Command, Event

__all__ = ["decide", "evolve", "initial_state", "reply"]


def decide(command: Command, room: Room) -> Sequence[Event]:
    decider = _DECIDERS.get(type(command))
    if decider is None:
        raise TypeError(f"{type(command).__name__} is no command on chat")
    if not room.exists:
        raise Rejected("unknown_channel", "there is no such channel")
    return decider(command, room)


def reply(event: Event) -> dict[str, str]:
    """The message's id, and whether AutoMod let it through."""
    match event:
        case MessageSent():
            return {"message_id": event.message_id}
        case MessageHeld():
            return {"message_id": event.message_id, "drop_code": "msg_rejected", "drop_message": HELD}
        case MessageRefused():
            return {"message_id": event.message_id, "drop_code": "msg_rejected_mandatory", "drop_message": REFUSED}
    return {}


HELD = "AutoMod holds the message until a moderator has looked at it"
REFUSED = "the message is against the channel's moderation settings"

_DECIDERS: dict[type[Command], Callable[[Any, Room], Sequence[Event]]] = {
    SendMessage: speaking.send,
    Announce: speaking.announce,
    ResolveHeldMessage: moderating.resolve,
    DeleteMessage: moderating.delete,
    ClearChat: moderating.clear,
    React: audience.react,
    Raid: audience.raid,
}

"""A room's frames as lines, by what a client's capabilities let it understand."""

from __future__ import annotations

from dataclasses import dataclass

from websockets.frames import Frame, Opcode

from query_api.chat.frames import (
    Cheer,
    Cleared,
    Deleted,
    MessageShown,
    Raid,
    RoomFrame,
    RoomState,
    Subscribed,
    UserBanned,
)
from query_api.chat.irc import dialect, notices
from query_api.chat.irc.message import Message
from query_api.chat.room import Presence, Room


@dataclass(frozen=True, slots=True)
class IrcFormat:
    """`framed` lines travel in WebSocket messages. Nobody is told what they said themselves."""

    tags: bool = False
    commands: bool = False
    membership: bool = False
    framed: bool = False

    @property
    def echoes(self) -> bool:
        return False

    def encode(self, frame: RoomFrame, room: Room) -> bytes:
        message = self._message(frame, room)
        return b"" if message is None else self.wire(message)

    def wire(self, *messages: Message) -> bytes:
        """The messages' bytes, in one WebSocket message where they are framed."""
        data = b"".join(
            (message if self.tags else Message(message.command, message.params, {}, message.prefix)).to_bytes()
            for message in messages
        )
        return Frame(Opcode.TEXT, data).serialize(mask=False) if self.framed else data

    def _message(self, frame: RoomFrame, room: Room) -> Message | None:
        login, channel_id = room.login, room.channel_id
        if isinstance(frame, MessageShown) and frame.announcement is None and frame.cheer is None:
            return dialect.private_message(login, frame)
        if isinstance(frame, Presence):
            return dialect.presence(login, frame.login, frame.arrived) if self.membership else None
        if not self.commands:
            return None
        match frame:
            case MessageShown(cheer=Cheer() as cheer):
                return notices.donation(login, frame, cheer)
            case MessageShown():
                return notices.announcement(login, frame, frame.announcement or "")
            case Deleted():
                return dialect.clear_message(login, channel_id, frame.message_id, room.said(frame.message_id))
            case Cleared():
                return dialect.clear_chat(login, channel_id)
            case UserBanned():
                target = (frame.user_id, frame.login or frame.user_id)
                return dialect.clear_chat(login, channel_id, target, frame.duration_s)
            case RoomState():
                return dialect.room_state(login, channel_id, frame.room_state)
            case Raid():
                return notices.raid(login, frame)
            case Subscribed():
                return notices.subscription(login, frame, room.facts.roles_of(channel_id, frame.user.id))
        return None

"""Commands on a channel's chat. Key: channel id. The actor is who speaks, reacts or moderates."""

from __future__ import annotations

from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.message import Command, personal


class ChatCommand(Command):
    topic: ClassVar[str] = "commands.chat"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str


class SendMessage(ChatCommand):
    """Say something."""

    sender_login: str = Field(json_schema_extra=personal("actor"))
    text: str = Field(json_schema_extra=personal("actor"))
    reply_parent_id: str | None = None
    sender_name: str = Field(default="", json_schema_extra=personal("actor"))


class Announce(ChatCommand):
    """Say something that stands out. The actor is a moderator."""

    sender_login: str = Field(json_schema_extra=personal("actor"))
    text: str = Field(json_schema_extra=personal("actor"))
    colour: str = Field(description="primary, blue, green, orange or purple.")
    sender_name: str = Field(default="", json_schema_extra=personal("actor"))


class ResolveHeldMessage(ChatCommand):
    """Allow or deny what AutoMod holds. The actor is a moderator."""

    message_id: str
    allowed: bool


class DeleteMessage(ChatCommand):
    """Take a message back. The actor is its sender or a moderator."""

    message_id: str


class ClearChat(ChatCommand):
    """Take back everything said so far. The actor is a moderator."""


class React(ChatCommand):
    """React to a message, or, without one, to what is on screen."""

    emote: str
    message_id: str | None = None


class Raid(ChatCommand):
    """Send one's viewers to the channel. The actor is the owner of the channel they come from."""

    from_login: str = Field(json_schema_extra=personal("actor"))
    viewers: types.Int32
    from_name: str = Field(default="", json_schema_extra=personal("actor"))

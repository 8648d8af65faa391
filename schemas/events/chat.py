"""What was said in a channel, and what became of it. Key: channel id."""

from __future__ import annotations

from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.message import Event, personal


class ChatEvent(Event):
    """Its id derives from the command's, so a repeated append carries the same."""

    topic: ClassVar[str] = "chat"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str


class MessageSent(ChatEvent):
    """A chat message was accepted."""

    message_id: str
    sender_id: str
    sender_login: str = Field(json_schema_extra=personal("sender_id"))
    text: str = Field(json_schema_extra=personal("sender_id"), description="At most 500 characters.")
    reply_parent_id: str | None = None
    sender_name: str = Field(
        default="", json_schema_extra=personal("sender_id"), description="As displayed; empty is the login."
    )
    badges: list[str] = Field(default_factory=list, description="Such as broadcaster/1, subscriber/3.")
    emotes: str = Field(default="", description="Where emotes stand, as in IRC's tag: `id:first-last,…/id:…`.")
    announcement: str = Field(default="", description="The colour of a moderator's announcement; empty for any other.")


class Findings(ChatEvent):
    """A message that AutoMod stopped, and why: enough to ask the same question of another policy."""

    message_id: str
    sender_id: str
    sender_login: str = Field(json_schema_extra=personal("sender_id"))
    text: str = Field(json_schema_extra=personal("sender_id"))
    rule: str = Field(description="blocked_term, link, spam, category or model.")
    category: str = Field(default="", description="Of AutoMod, or the id of the blocked term.")
    level: types.Int32 = Field(default=0, description="1-4, as strict as AutoMod must be to stop it.")
    score: float = Field(default=0.0, description="0-1; the model's.")
    model_version: str = Field(default="", description="Of what found it: lists, rules and model are one version.")


class MessageRefused(Findings):
    """AutoMod refused a message for good."""


class MessageHeld(Findings):
    """AutoMod holds a message until a moderator allows it."""

    sender_name: str = Field(default="", json_schema_extra=personal("sender_id"))
    reply_parent_id: str | None = None


class HeldMessageResolved(ChatEvent):
    """A moderator decided. An allowed message is followed by its `MessageSent`, under the same message id."""

    message_id: str
    sender_id: str
    allowed: bool


class MessageDeleted(ChatEvent):
    """A moderator, or its sender, took a message back."""

    message_id: str
    sender_id: str


class ChatCleared(ChatEvent):
    """A moderator took back everything said so far."""


class Reacted(ChatEvent):
    """A user reacted to a message, or, without one, to what is on screen."""

    reactor_id: str
    emote: str = Field(description="The name of the emote.")
    message_id: str | None = None


class RaidReceived(ChatEvent):
    """Another channel sent its viewers here. The actor is its owner."""

    from_id: str
    from_login: str = Field(json_schema_extra=personal("from_id"))
    viewers: types.Int32
    from_name: str = Field(
        default="", json_schema_extra=personal("from_id"), description="As displayed; empty is the login."
    )

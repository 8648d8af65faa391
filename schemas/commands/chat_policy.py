"""Commands on how a channel's chat is run. Key: channel id. The actor is a moderator."""

from __future__ import annotations

from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.message import Command, personal


class PolicyCommand(Command):
    topic: ClassVar[str] = "commands.channels"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str


class UpdateChatSettings(PolicyCommand):
    """Set what is given; None leaves a mode as it is."""

    slow_mode_s: types.Int32 | None = Field(default=None, description="3-120 s; 0 turns it off.")
    follower_mode: bool | None = None
    follower_mode_min: types.Int32 | None = Field(default=None, description="0-129,600 minutes.")
    subscriber_mode: bool | None = None
    emote_mode: bool | None = None
    unique_chat_mode: bool | None = None


class SetShieldMode(PolicyCommand):
    """Turn the strict policy for a raid of strangers on or off."""

    active: bool


class UpdateAutoModSettings(PolicyCommand):
    """Set what is given; None leaves it as it is, and so does a category that is not named."""

    levels: dict[str, types.Int32] | None = None
    toxicity_level: types.Int32 | None = None
    block_links: bool | None = None
    block_spam: bool | None = None


class AddBlockedTerm(PolicyCommand):
    """Refuse messages that hold the term."""

    term_id: str
    text: str = Field(json_schema_extra=personal("channel_id"))


class RemoveBlockedTerm(PolicyCommand):
    """Let the term be said again."""

    term_id: str

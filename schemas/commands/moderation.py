"""Commands of a channel's moderators about users. Key: channel id. The actor is the moderator."""

from __future__ import annotations

from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.message import Command, personal


class ModerationCommand(Command):
    topic: ClassVar[str] = "commands.channels"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str


class BanUser(ModerationCommand):
    """Let a user not speak, for a time or for good."""

    target_id: str
    target_login: str = Field(default="", json_schema_extra=personal("target_id"))
    duration_s: types.Int32 | None = Field(default=None, description="1 to 1,209,600 s; None is for good.")
    reason: str = Field(default="", json_schema_extra=personal("target_id"))


class UnbanUser(ModerationCommand):
    """Let a user speak again."""

    target_id: str


class WarnUser(ModerationCommand):
    """Let a user not speak before they have read this."""

    target_id: str
    reason: str = Field(json_schema_extra=personal("target_id"))


class AcknowledgeWarning(ModerationCommand):
    """Say that one has read the warning. The actor is the warned user."""


class RequestUnban(ModerationCommand):
    """Ask to be let in again. The actor is the banned user."""

    request_id: str
    text: str = Field(json_schema_extra=personal("actor"))


class ResolveUnbanRequest(ModerationCommand):
    """Answer a request."""

    request_id: str
    approved: bool
    text: str = Field(default="", json_schema_extra=personal("actor"))


class UndoModeration(ModerationCommand):
    """Undo what a moderator did in a time: bans, blocked terms, deletions."""

    target_id: str = Field(description="The moderator whose actions are undone.")
    since: types.DateTimeMicro
    until: types.DateTimeMicro

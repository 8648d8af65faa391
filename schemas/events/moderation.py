"""What a channel's moderators did about users. Key: channel id. The actor is the moderator."""

from __future__ import annotations

from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.message import Event, personal


class ModerationEvent(Event):
    topic: ClassVar[str] = "channels"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str


class UserBanned(ModerationEvent):
    """A user may not speak, for a time or for good. A second ban replaces the first."""

    target_id: str
    target_login: str = Field(default="", json_schema_extra=personal("target_id"))
    reason: str = Field(default="", json_schema_extra=personal("target_id"))
    expires_at: types.DateTimeMicro | None = Field(default=None, description="None is for good.")


class UserUnbanned(ModerationEvent):
    """A user may speak again before the ban's time."""

    target_id: str


class UserWarned(ModerationEvent):
    """A user may not speak before saying that they have read this."""

    target_id: str
    reason: str = Field(json_schema_extra=personal("target_id"))


class WarningAcknowledged(ModerationEvent):
    """The user, who is the actor, has read the warning."""

    target_id: str


class UnbanRequested(ModerationEvent):
    """A banned user, who is the actor, asks to be let in again."""

    request_id: str
    target_id: str
    text: str = Field(json_schema_extra=personal("target_id"))


class UnbanRequestResolved(ModerationEvent):
    """A moderator answered. An approved request is followed by `UserUnbanned`."""

    request_id: str
    target_id: str
    approved: bool
    text: str = Field(default="", json_schema_extra=personal("target_id"))


class ModerationUndone(ModerationEvent):
    """What a moderator did in a time is undone: other events lift the bans, and the deletions do not count."""

    target_id: str = Field(description="The moderator whose actions are undone.")
    since: types.DateTimeMicro
    until: types.DateTimeMicro

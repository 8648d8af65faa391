"""What a channel's moderators teach its AutoMod. Key: channel id. Few and kept for good: deciders read all of them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.message import Event, personal


class LessonTaught(Event):
    """A moderator, who is the actor, decided on a held message, and the model learns of it."""

    topic: ClassVar[str] = "lessons"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    message_id: str = Field(description="The held message's: each teaches once.")
    sender_id: str
    text: str = Field(json_schema_extra=personal("sender_id"))
    allowed: bool

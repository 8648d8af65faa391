"""What was said. Key: channel id."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.message import PERSONAL, Event


class MessageSent(Event):
    """A chat message was accepted. Its id derives from the command's, so a repeated append carries the same."""

    topic: ClassVar[str] = "chat"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    message_id: str
    sender_id: str
    sender_login: str = Field(json_schema_extra=PERSONAL)
    text: str = Field(json_schema_extra=PERSONAL, description="At most 500 characters.")
    reply_parent_id: str | None = None

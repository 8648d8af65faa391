"""Commands on a channel's chat. Key: channel id. The actor is the sender."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.message import PERSONAL, Command


class SendMessage(Command):
    """Say something."""

    topic: ClassVar[str] = "commands.chat"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    sender_login: str = Field(json_schema_extra=PERSONAL)
    text: str = Field(json_schema_extra=PERSONAL)
    reply_parent_id: str | None = None

"""Commands on a channel. Key: channel id."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.message import Command


class UpdateChannel(Command):
    """Set what is given; None leaves a value as it is."""

    topic: ClassVar[str] = "commands.channels"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    title: str | None = None
    category: str | None = None
    language: str | None = None
    playback_policy: str | None = Field(default=None, description="public, private or subscribers.")

"""What a channel says of itself. Key: channel id."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.message import Event

PUBLIC, PRIVATE, SUBSCRIBERS = "public", "private", "subscribers"
PLAYBACK_POLICIES = (PUBLIC, PRIVATE, SUBSCRIBERS)
"""Who may watch a channel: everybody, those its owner signs for, or its subscribers."""


class ChannelUpdated(Event):
    """Title, category, language or who may watch were set; every field is the full new value."""

    topic: ClassVar[str] = "channels"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    title: str
    category: str
    language: str
    playback_policy: str = Field(default=PUBLIC, description="public, private or subscribers; for the next stream.")

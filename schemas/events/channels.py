"""What a channel says of itself. Key: channel id."""

from __future__ import annotations

from typing import ClassVar

from schemas.message import Event


class ChannelUpdated(Event):
    """Title, category or language were set; every field is the full new value."""

    topic: ClassVar[str] = "channels"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    title: str
    category: str
    language: str

"""A channel's own emotes. Key: channel id."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.message import Event


class EmoteEvent(Event):
    topic: ClassVar[str] = "channels"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    emote_id: str


class EmoteAdded(EmoteEvent):
    """An emote was uploaded. Its pictures are small, and cannot be made again: they lie in the log."""

    name: str = Field(description="What is typed to say it.")
    tier: str = Field(default="", description="The subscription that it takes: 1000, 2000, 3000; empty is everybody.")
    animated: bool = False
    media_type: str = Field(description="Of the pictures, such as image/webp.")
    image_1x: bytes = Field(description="28 pixels square.")
    image_2x: bytes = Field(description="56 pixels square.")
    image_3x: bytes = Field(description="112 pixels square.")


class EmoteRemoved(EmoteEvent):
    """An emote may no longer be said. What was said with it still shows it."""

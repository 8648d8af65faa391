"""Commands on a channel's emotes. Key: channel id. The actor is its owner."""

from __future__ import annotations

from typing import ClassVar

from schemas.message import Command


class EmoteCommand(Command):
    topic: ClassVar[str] = "commands.channels"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    emote_id: str


class AddEmote(EmoteCommand):
    """Let an emote be said. The edge has decoded its picture and made the three sizes of it."""

    name: str
    tier: str = ""
    animated: bool = False
    media_type: str
    image_1x: bytes
    image_2x: bytes
    image_3x: bytes


class RemoveEmote(EmoteCommand):
    """No longer let an emote be said."""

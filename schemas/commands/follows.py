"""Commands on who follows a channel. Key: channel id. The actor is the follower."""

from __future__ import annotations

from typing import ClassVar

from schemas.message import Command


class FollowCommand(Command):
    topic: ClassVar[str] = "commands.follows"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str


class Follow(FollowCommand):
    """Begin to follow."""


class Unfollow(FollowCommand):
    """Stop following."""

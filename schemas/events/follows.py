"""Who follows whom. Key: channel id."""

from __future__ import annotations

from typing import ClassVar

from schemas.message import Event


class FollowEvent(Event):
    topic: ClassVar[str] = "follows"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    follower_id: str


class UserFollowed(FollowEvent):
    """A user began to follow a channel."""


class UserUnfollowed(FollowEvent):
    """A user stopped following a channel."""

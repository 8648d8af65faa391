"""Who helps to run a channel. Key: channel id."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.message import Event


class RoleEvent(Event):
    topic: ClassVar[str] = "channels"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    target_id: str = Field(description="Whose role it is.")


class ModeratorAdded(RoleEvent):
    """A user may now moderate the channel's chat."""


class ModeratorRemoved(RoleEvent):
    """A user may no longer moderate the channel's chat."""


class VipAdded(RoleEvent):
    """A user may now speak whatever the chat's modes are."""


class VipRemoved(RoleEvent):
    """A user is bound by the chat's modes again."""

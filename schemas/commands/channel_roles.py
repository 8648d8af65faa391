"""Commands on who helps to run a channel. Key: channel id. The actor is its owner."""

from __future__ import annotations

from typing import ClassVar

from schemas.message import Command


class RoleCommand(Command):
    topic: ClassVar[str] = "commands.channels"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    target_id: str


class AddModerator(RoleCommand):
    """Let a user moderate the chat."""


class RemoveModerator(RoleCommand):
    """No longer let a user moderate the chat."""


class AddVip(RoleCommand):
    """Let a user speak whatever the chat's modes are."""


class RemoveVip(RoleCommand):
    """Bind a user by the chat's modes again."""

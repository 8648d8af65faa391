"""What every decider does alike: the envelope of its events and whose command it is."""

from __future__ import annotations

from typing import Any

from commands.identity import derived_id
from commands.rejection import Rejected
from schemas.message import Command, Event

SYSTEM = "system:"


def caused_by(command: Command, index: int = 0) -> dict[str, Any]:
    """The envelope of the command's event number `index`: its time is the command's, its id derives from the command's.

    Deciding the same command again, after a crash or an aborted transaction, so gives the same event to the byte.
    """
    return {
        "event_id": derived_id(command.command_id, index),
        "occurred_at": command.issued_at,
        "actor": command.actor,
        "correlation_id": command.correlation_id,
        "causation_id": command.command_id,
        "command_id": command.command_id,
    }


def require_owner(command: Command, owner_id: str) -> None:
    """Refuse a user who acts on what is another's; our own processes may."""
    if command.actor != owner_id and not command.actor.startswith(SYSTEM):
        raise Rejected("unauthorised", "only the owner may do this")


def no_reply(event: Event) -> dict[str, str]:
    """For aggregates whose callers need nothing back."""
    return {}

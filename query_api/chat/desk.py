"""What a guest asks of the write side, and what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from commands.client import Accepted, CommandClient, OutcomeUnknown, Rejected
from commands.identity import command_id_of, new_id
from query_api.chat.refusal import Refused
from query_api.sessions import Session
from schemas.message import Command

SUBMIT_S = 10.0


class Desk:
    """Answers once the outcome is in the log."""

    def __init__(self, client: CommandClient) -> None:
        self._client = client

    async def submit(self, command: Command) -> Accepted:
        """Raises Refused: by the decider, by AutoMod, or because the outcome is not known."""
        try:
            accepted = await self._client.submit(command, SUBMIT_S)
        except Rejected as rejected:
            wait_s = rejected.retry_after_ms / 1000 or None
            raise Refused(rejected.code, rejected.message, wait_s) from rejected
        except OutcomeUnknown as unknown:
            raise Refused(
                "outcome_unknown", "it is not known yet whether this was done; the same id again does it once", 1.0
            ) from unknown
        if drop_code := accepted.reply.get("drop_code"):
            raise Refused(drop_code, accepted.reply.get("drop_message", ""))
        return accepted


def envelope(session: Session, scope: str, client_id: str | None) -> dict[str, Any]:
    """What every command carries. The same client id in the same scope is the same command."""
    return {
        "command_id": command_id_of(session.user_id, scope, client_id) if client_id else new_id(),
        "issued_at": datetime.now(UTC),
        "actor": session.user_id,
        "correlation_id": new_id(),
    }

"""Follows `accounts` for sessions that ended before their time."""

from __future__ import annotations

from collections.abc import Callable

from query_api.chat.decoder import Decoder
from schemas.events.accounts import SessionRevoked
from topology.tail import Record


class Revocations:
    def __init__(self, decoder: Decoder, revoke: Callable[[str], None]) -> None:
        self._decoder, self._revoke = decoder, revoke

    def take(self, record: Record) -> None:
        event = self._decoder.event(record.value)
        if isinstance(event, SessionRevoked):
            self._revoke(event.session_id)

    def reached(self, topic: str, partition: int, offset: int) -> None:
        """Nothing waits for it."""

"""Learns from the `accounts` topic that a stream key stopped working while it publishes."""

from __future__ import annotations

from collections.abc import Callable

from ingest.tail import Followed, FromNow, Tail
from schemas.events.accounts import StreamKeyRevoked
from schemas.wire import Codec
from topology.settings import Settings


class Revocations(Tail):
    """An async context manager: inside it, `revoked(key_id)` is called for every revocation from now on."""

    def __init__(self, settings: Settings, codec: Codec, revoked: Callable[[str], None]) -> None:
        def take(followed: Followed) -> None:
            if followed.record.type == StreamKeyRevoked.__name__:
                revoked(followed.record.fields["key_id"])

        super().__init__(settings, codec, StreamKeyRevoked.topic, FromNow(), take)

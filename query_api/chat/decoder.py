"""Turns records into the few kinds of events that are wanted, and passes over the others undecoded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog
from pydantic import ValidationError

from schemas.catalog import BY_FULL_NAME
from schemas.message import Event
from schemas.wire import Codec, WireError

_HEADER = 5
"""Bytes of a record that name its schema."""

log = structlog.get_logger(__name__)


class Decoder:
    """`event` never waits; `meet` each record before, which asks the registry once a schema."""

    def __init__(self, codec: Codec, wanted: Iterable[type[Event]]) -> None:
        self._codec = codec
        self._wanted = {model.full_name() for model in wanted}
        self._names: dict[bytes, str] = {}

    def met(self, value: bytes) -> bool:
        return value[:_HEADER] in self._names

    async def meet(self, value: bytes) -> None:
        """What is no record of ours stays unmet, and `event` passes over it."""
        try:
            decoded = await asyncio.to_thread(self._codec.decode, value)
        except WireError as error:
            log.warning("record skipped", error=str(error))
            return
        self._names[value[:_HEADER]] = decoded.full_name

    def event(self, value: bytes) -> Event | None:
        """None for what is not wanted or cannot be read."""
        name = self._names.get(value[:_HEADER])
        if name not in self._wanted:
            return None
        try:
            event = BY_FULL_NAME[name].model_validate(self._codec.decode(value).fields)
        except (WireError, ValidationError) as error:
            log.error("an event cannot be read", reason=type(error).__name__)
            return None
        return event if isinstance(event, Event) else None

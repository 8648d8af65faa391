"""Sets records aside on the dead-letter topic."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.events.dead_letters import DeadLettered
from schemas.wire import Codec
from topology.kafka import producer_config
from topology.settings import Settings

log = structlog.get_logger()

RETRY_S = 1.0
MAX_VALUE = 500_000
"""Bytes of a record that are kept, so that the letter passes the broker's limit on messages."""

MAX_REASON = 2_000
_NAMESPACE = uuid.UUID("8e6f3a52-6a0e-5f0a-9a55-8a4d7f3b8c11")


class Raw(NamedTuple):
    """A record as it came: `timestamp` is the broker's, seconds since the epoch."""

    offset: int
    timestamp: float
    key: bytes | None
    value: bytes | None


class DeadLetters:
    """Waits until the broker has each letter: the projection's progress must not pass a record that is nowhere."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self._settings = settings
        self._codec = codec

    @cached_property
    def _producer(self) -> Producer:
        return Producer(producer_config(self._settings))

    async def set_aside(self, projection: str, topic: str, partition: int, raw: Raw, reason: str) -> None:
        """Append the letter. Its id derives from the place, so that a repeated letter is known by it."""
        place = f"{projection}/{topic}/{partition}/{raw.offset}"
        letter = DeadLettered(
            type=DeadLettered.__name__,
            event_id=str(uuid.uuid5(_NAMESPACE, place)),
            occurred_at=datetime.now(UTC),
            actor="system:projections",
            correlation_id=place,
            source_topic=topic,
            source_partition=partition,
            source_offset=raw.offset,
            projection=projection,
            reason=reason[:MAX_REASON],
            record_key=(raw.key or b"")[:MAX_VALUE],
            record_value=(raw.value or b"")[:MAX_VALUE],
        )
        log.error("record set aside", projection=projection, place=f"{topic}:{partition}:{raw.offset}", reason=reason)
        while True:
            try:
                return await asyncio.to_thread(self._append, letter)
            except Exception as error:  # whatever the clients of the registry and of Kafka meet
                log.warning("cannot append a dead letter, retrying", error=repr(error))
                await asyncio.sleep(RETRY_S)

    def _append(self, letter: DeadLettered) -> None:
        failures: list[KafkaError] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failures.append(error)

        self._producer.produce(letter.topic, self._codec.encode(letter), letter.key.encode(), on_delivery=delivered)
        self._producer.flush()
        if failures:
            raise KafkaException(failures[0])

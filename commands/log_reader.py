"""Reads event topics up to where they end now: the catching up before the deciding."""

from __future__ import annotations

import threading
import time
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import structlog
from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from pydantic import ValidationError

from commands.aggregate import History
from schemas.catalog import BY_FULL_NAME
from schemas.message import Event
from schemas.wire import Codec, WireError
from topology.kafka import client_config, consumer_config
from topology.settings import Settings
from topology.tail import Place
from topology.topics import PARTITIONS

PATIENCE_S = 5.0
SILENCE_S = 20.0
RETRY_S = 0.2
CHUNK = 5_000

_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]

log = structlog.get_logger()


class Stopping(Exception):
    """The process was asked to end while it waited for Kafka."""


class Logged(NamedTuple):
    """An event and where it lies."""

    place: Place
    offset: int
    event: Event


class LogReader:
    """Committed events of the places it is told to follow. Used by one thread."""

    def __init__(self, settings: Settings, codec: Codec, stopping: threading.Event) -> None:
        self._settings = settings
        self._codec = codec
        self._stopping = stopping
        self._next: dict[Place, int] = {}
        # The end is asked for on a connection of its own: on the consumer's, the question waits behind the long poll.
        # The poll is short, because only the one after the last record tells that nothing but markers follow it.
        self._admin = AdminClient(client_config(settings))
        self._consumer = Consumer(
            consumer_config(settings, "tally.log-reader")
            | {"enable.partition.eof": True, "fetch.wait.max.ms": 50, "queued.max.messages.kbytes": 16_384}
        )

    def follow(self, places: list[Place], history: History | None = None) -> None:
        """Begin with the places' first events, or with the first of their `history`."""
        starts = dict.fromkeys(places, 0) if history is None else self._starts(places, history)
        self._next |= starts
        self._consumer.incremental_assign([TopicPartition(*place, offset) for place, offset in starts.items()])

    def forget(self, places: list[Place]) -> None:
        """Stop reading the places."""
        followed = [place for place in places if self._next.pop(place, None) is not None]
        if followed:
            self._consumer.incremental_unassign([TopicPartition(*place) for place in followed])

    def read_to_end(self, partitions: Container[int] = range(PARTITIONS)) -> Iterator[Logged]:
        """Every event of these partitions not yet read that was committed before this call, and perhaps some of others.

        Raises Stopping; KafkaException where events that are known to be there do not come: a new consumer gets them.
        """
        ends = self._offsets([place for place in self._next if place[1] in partitions], _LATEST)
        patient_until = time.monotonic() + SILENCE_S
        while any(self._next[place] < end for place, end in ends.items()):
            if self._stopping.is_set():
                raise Stopping
            if time.monotonic() > patient_until:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the log ends later than it can be read"))
            first = self._consumer.poll(0.1)
            if first is not None:
                patient_until = time.monotonic() + SILENCE_S
                yield from self._taken(first)
                for message in self._consumer.consume(CHUNK, 0):
                    yield from self._taken(message)

    def close(self) -> None:
        self._consumer.close()

    def _taken(self, message: Message) -> Iterator[Logged]:
        error = message.error()
        place, offset = (message.topic() or "", message.partition() or 0), message.offset() or 0
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF and place in self._next:
                self._next[place] = offset  # also past transaction markers, which are never delivered
            elif error.code() == KafkaError._FATAL:
                raise KafkaException(error)
            return
        if place not in self._next:
            return
        self._next[place] = offset + 1
        try:
            decoded = self._codec.decode(message.value())
            event = BY_FULL_NAME[decoded.full_name].model_validate(decoded.fields)
        except (WireError, ValidationError) as unreadable:
            log.error("an event cannot be read", place=place, offset=offset, reason=type(unreadable).__name__)
            return
        if isinstance(event, Event):
            yield Logged(place, offset, event)

    def _starts(self, places: list[Place], history: History) -> dict[Place, int]:
        since = datetime.now(UTC) - history.span
        first, last = self._offsets(places, _EARLIEST), self._offsets(places, _LATEST)
        young = self._offsets(places, OffsetSpec.for_timestamp(int(since.timestamp() * 1000)))
        # Where nothing is so young, the answer is -1.
        oldest = {place: last[place] if young[place] < 0 else young[place] for place in places}
        return {place: max(first[place], min(oldest[place], last[place] - history.events)) for place in places}

    def _offsets(self, places: list[Place], spec: OffsetSpec) -> dict[Place, int]:
        asked = {TopicPartition(*place): spec for place in places}
        while asked:
            try:
                answers = self._admin.list_offsets(
                    asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=PATIENCE_S
                )
                return {(asked.topic, asked.partition): answer.result().offset for asked, answer in answers.items()}
            except KafkaException as error:
                log.warning("the log's end is not known yet", error=str(error))
                # After a broker restarts, an old admin client asks with the leader epoch of before: refused for ever.
                self._admin = AdminClient(client_config(self._settings))
                if self._stopping.wait(RETRY_S):
                    raise Stopping from error
        return {}

"""How a decider appends: in a transaction with its consumer's offsets, or plainly where a repetition is harmless."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from commands.log_reader import Stopping
from topology.kafka import producer_config
from topology.settings import Settings

TRANSACTION_TIMEOUT_MS = 30_000
CALL_TIMEOUT_S = 10.0
CALLS = 3
FLUSH_SLICE_S = 0.5
APPEND_TIMEOUT_S = 20.0
IDLE_MS = 5_000

NO_LONGER_OURS = frozenset({KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION, KafkaError.FENCED_INSTANCE_ID})
"""The group has gone on without this consumer: its partitions are not ours, so trying again is pointless."""

BY_KEY = -1

log = structlog.get_logger()


class Record(NamedTuple):
    """Wire bytes on their way."""

    topic: str
    key: str
    value: bytes
    partition: int = BY_KEY


class Aborted(Exception):
    """Nothing of the batch was written; it may be tried again."""


class Writer(Protocol):
    """One batch: `begin`, `append` as often as needed, then `commit`. Any of them may raise Aborted or Stopping.

    A KafkaException is final: the writer was fenced or is broken, and whoever holds it must start over.
    """

    def begin(self) -> None: ...

    def append(self, records: Sequence[Record]) -> list[int]:
        """The offsets of the records, once the broker has them."""

    def commit(self, source: TopicPartition) -> None:
        """Make the batch count, and with it that its commands are done up to the offset of `source`."""


class PlainWriter:
    """Idempotent, no transaction: a crash before `commit` repeats events, with the same ids."""

    def __init__(self, settings: Settings, consumer: Consumer, stopping: threading.Event) -> None:
        self._consumer = consumer
        self._stopping = stopping
        self._producer = Producer(producer_config(settings))

    def begin(self) -> None:
        """Nothing to begin."""

    def append(self, records: Sequence[Record]) -> list[int]:
        return _append(self._producer, records, self._stopping)

    def commit(self, source: TopicPartition) -> None:
        self._consumer.commit(offsets=[source], asynchronous=True)


class TransactionalWriter:
    """The only writer of a partition: making one fences every earlier one of the same name, and ends what it left open.

    Takes the place of its predecessor when it is made. Raises Stopping.
    """

    def __init__(self, settings: Settings, name: str, consumer: Consumer, stopping: threading.Event) -> None:
        self._settings = settings
        self._name = name
        self._consumer = consumer
        self._stopping = stopping
        self._open()

    def begin(self) -> None:
        self._producer.poll(0)
        if self._kafka_was_away.is_set():
            self._open()
        self._producer.begin_transaction()

    def append(self, records: Sequence[Record]) -> list[int]:
        try:
            return _append(self._producer, records, self._stopping)
        except KafkaException as error:
            raise self._abort(error) from error

    def commit(self, source: TopicPartition) -> None:
        if self._kafka_was_away.is_set():
            raise Aborted("Kafka was away")
        try:
            metadata = self._consumer.consumer_group_metadata()
            self._insist(self._producer.send_offsets_to_transaction, [source], metadata)
            self._insist(self._producer.commit_transaction)
        except KafkaException as error:
            raise self._abort(error) from error

    def _open(self) -> None:
        # A producer that has seen the group's coordinator restart may wait for it for ever (librdkafka's issue 5511):
        # after an outage there is a new one, which also undoes what the old one left open. Where only the coordinator
        # restarted, the wait ends with the next connection that closes: hence they close early when idle.
        self._kafka_was_away = away = threading.Event()

        def notice(error: KafkaError) -> None:
            if error.code() == KafkaError._ALL_BROKERS_DOWN:
                away.set()

        self._producer = Producer(
            producer_config(self._settings)
            | {
                "transactional.id": self._name,
                "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
                "connections.max.idle.ms": IDLE_MS,
                "error_cb": notice,
            }
        )
        self._insist(self._producer.init_transactions)

    def _insist(self, call: Callable[..., None], *arguments: object) -> None:
        """Call again while the broker is away: each of these calls may be repeated until it gives a definite answer.

        A producer that never gets one is given up: its successor of the same name learns what became of the batch.
        """
        for attempt in range(1, CALLS + 1):
            try:
                call(*arguments, CALL_TIMEOUT_S)
                return
            except KafkaException as error:
                if not error.args[0].retriable() or attempt == CALLS:
                    raise
                log.warning("Kafka did not answer yet", call=call.__name__, error=str(error))
                if self._stopping.is_set():
                    raise Stopping from error

    def _abort(self, error: KafkaException) -> Aborted:
        """Undo the transaction, when that is still ours to do; raises what made it impossible."""
        reason: KafkaError = error.args[0]
        if reason.fatal() or reason.code() == KafkaError._FENCED:
            raise error
        self._insist(self._producer.abort_transaction)
        if reason.code() in NO_LONGER_OURS:
            raise error
        return Aborted(str(error))


def _append(producer: Producer, records: Sequence[Record], stopping: threading.Event) -> list[int]:
    """Raises Stopping; KafkaException also where a producer does not get over an outage, which librdkafka's may not."""
    patient_until = time.monotonic() + APPEND_TIMEOUT_S
    offsets: dict[int, int] = {}
    errors: list[KafkaError] = []

    def delivered(index: int, error: KafkaError | None, message: Message) -> None:
        offset = message.offset()
        if error is None and offset is not None and offset >= 0:
            offsets[index] = offset
        else:  # without an offset: a repetition whose first place the broker no longer knows
            errors.append(error or KafkaError(KafkaError._INCONSISTENT))

    for index, record in enumerate(records):
        producer.produce(
            record.topic, record.value, record.key, record.partition, on_delivery=partial(delivered, index)
        )
    while producer.flush(FLUSH_SLICE_S):
        if stopping.is_set():
            raise Stopping
        if time.monotonic() > patient_until:
            producer.purge()
    if errors:
        raise KafkaException(errors[0])
    return [offsets[index] for index in range(len(records))]

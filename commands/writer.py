"""How a decider appends: in a transaction with its consumer's offsets, or plainly where a repetition is harmless."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import NamedTuple, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from commands.log_reader import Stopping
from commands.outage import Outage
from topology.kafka import producer_config
from topology.settings import Settings

TRANSACTION_TIMEOUT_MS = 30_000
CALL_TIMEOUT_S = 15.0
SLICE_S = 0.5

BY_KEY = -1


class Record(NamedTuple):
    """Wire bytes on their way."""

    topic: str
    key: str
    value: bytes
    partition: int = BY_KEY


class Writer(Protocol):
    """One batch: `begin`, `append` as often as needed, then `commit`. Any of them may raise Stopping.

    A KafkaException is final, and the fate of what is not settled unknown: whoever holds the writer must start over
    from the log.
    """

    def begin(self) -> None: ...

    def append(self, records: Sequence[Record]) -> list[int]:
        """The offsets of the records, once the broker has them."""

    def commit(self, sources: Sequence[TopicPartition], answers: Sequence[Record]) -> None:
        """Append the answers and make the batch count, and with it that its commands are done up to the `sources`."""

    @property
    def unsettled(self) -> bool:
        """Whether `settle` has something to wait for."""

    def settle(self) -> None:
        """Return once everything that was committed counts for certain."""


class PlainWriter:
    """Idempotent, no transaction: a crash before a batch is settled repeats events, with the same ids.

    Nobody waits for answers to be acknowledged: the next batch does so beside its own events. Only then are its
    commands done.
    """

    def __init__(self, settings: Settings, consumer: Consumer, outage: Outage, stopping: threading.Event) -> None:
        self._consumer = consumer
        producer = Producer(producer_config(settings) | {"error_cb": outage.notice})
        self._outbox = _Outbox(producer, outage, stopping)
        self._done: dict[tuple[str, int], TopicPartition] = {}

    def begin(self) -> None:
        """Nothing to begin."""

    def append(self, records: Sequence[Record]) -> list[int]:
        offsets = self._outbox.send(records)
        self.settle()
        return [offsets[index] for index in range(len(records))]

    def commit(self, sources: Sequence[TopicPartition], answers: Sequence[Record]) -> None:
        self._outbox.send(answers)
        self._done |= {(source.topic, source.partition): source for source in sources}

    @property
    def unsettled(self) -> bool:
        return bool(self._done)

    def settle(self) -> None:
        self._outbox.wait()
        done, self._done = self._done, {}
        if done:
            self._consumer.commit(offsets=list(done.values()), asynchronous=True)


class TransactionalWriter:
    """The only writer of a partition: making one fences every earlier one of the same name, and ends what it left open.

    It neither retries nor aborts: only a successor learns for certain what became of a batch. Raises KafkaException.
    """

    def __init__(
        self, settings: Settings, name: str, consumer: Consumer, outage: Outage, stopping: threading.Event
    ) -> None:
        self._consumer = consumer
        self._outage = outage
        self._producer = Producer(
            producer_config(settings)
            | {
                "transactional.id": name,
                "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
                "error_cb": outage.notice,
            }
        )
        self._outbox = _Outbox(self._producer, outage, stopping)
        _in_time(outage, self._producer.init_transactions)

    def begin(self) -> None:
        self._producer.begin_transaction()

    def append(self, records: Sequence[Record]) -> list[int]:
        offsets = self._outbox.send(records)
        self._outbox.wait()
        return [offsets[index] for index in range(len(records))]

    def commit(self, sources: Sequence[TopicPartition], answers: Sequence[Record]) -> None:
        self.append(answers)
        self._outage.check()  # no transaction is carried over one
        metadata = self._consumer.consumer_group_metadata()
        _in_time(self._outage, self._producer.send_offsets_to_transaction, list(sources), metadata)
        _in_time(self._outage, self._producer.commit_transaction)

    @property
    def unsettled(self) -> bool:
        return False

    def settle(self) -> None:
        """A transaction is settled as it is committed."""


def _in_time(outage: Outage, call: Callable[..., None], *arguments: object) -> None:
    """Raises KafkaException, also where the call does not return.

    One that has seen a coordinator go may wait past its own timeout, for ever (librdkafka's issue 5511). It is left to
    a thread nobody waits for: should it go on after all, its producer has been fenced by then.
    """
    answer: Future[None] = Future()

    def run() -> None:
        try:
            call(*arguments, CALL_TIMEOUT_S)
            answer.set_result(None)
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=run, name=call.__name__, daemon=True).start()
    patient_until = time.monotonic() + CALL_TIMEOUT_S
    while not answer.done():
        wait([answer], SLICE_S)
        outage.check()
        if time.monotonic() > patient_until:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{call.__name__} does not return"))
    answer.result()


class _Outbox:
    """What was handed to a producer and is not known to be with the broker."""

    def __init__(self, producer: Producer, outage: Outage, stopping: threading.Event) -> None:
        self._producer, self._outage, self._stopping = producer, outage, stopping
        self._errors: list[KafkaError] = []

    def send(self, records: Sequence[Record]) -> dict[int, int]:
        """The offsets of the records by their place among these; it fills while somebody waits."""
        offsets: dict[int, int] = {}

        def delivered(index: int, error: KafkaError | None, message: Message) -> None:
            offset = message.offset()
            if error is None and offset is not None and offset >= 0:
                offsets[index] = offset
            else:  # without an offset: a repetition whose first place the broker no longer knows
                self._errors.append(error or KafkaError(KafkaError._INCONSISTENT))

        for index, record in enumerate(records):
            self._producer.produce(
                record.topic, record.value, record.key, record.partition, on_delivery=partial(delivered, index)
            )
        return offsets

    def wait(self) -> None:
        """Until the broker has everything.

        Raises Stopping; KafkaException also where a producer does not get over an outage, which librdkafka's may not.
        """
        patient_until = time.monotonic() + CALL_TIMEOUT_S
        while _flush(self._producer):
            if self._stopping.is_set():
                raise Stopping
            self._outage.check()
            if time.monotonic() > patient_until:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "appended records are not acknowledged"))
        if self._errors:
            raise KafkaException(self._errors[0])


def _flush(producer: Producer) -> int:
    """How many records still wait. Raises KafkaException."""
    try:
        return producer.flush(SLICE_S)
    except SystemError as error:  # of a fatal error that is raised while a delivery is being reported
        raise (error.__cause__ if isinstance(error.__cause__, KafkaException) else error) from None

"""The registry's log in Kafka: one writer at a time, by fencing; every reader by record order.

Appending follows the deciders' rule: fence (a transactional producer under one fixed id), read the log to its end,
decide, append in a transaction. A second registry that takes the pen fences the first, whose next commit fails and
which then starts over; so no id is ever handed out twice, and a schema is answered only after it was read back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec
from confluent_kafka.cimpl import NewTopic

from topology.admin import topic_config
from topology.kafka import client_config, consumer_config, producer_config
from topology.registry.errors import RegistryError
from topology.registry.records import TOPIC, Record, decode, encode
from topology.registry.state import RegistryState
from topology.settings import Settings
from topology.topics import TOPICS

PATIENCE_S = 8.0
"""How long a request waits for Kafka before it is told that the log is away."""

_PARTITION = TopicPartition(TOPIC, 0)
_END = OffsetSpec.latest()  # type: ignore[no-untyped-call]

log = structlog.get_logger()


class SchemaLog:
    """Thread-safe. `state` may be read at any time; it lags the log until `catch_up`."""

    def __init__(self, settings: Settings) -> None:
        self.state = RegistryState()
        self._settings = settings
        self._lock = threading.Lock()
        self._admin = self._new_admin()  # its own connection: the reader's waits in long polls
        self._consumer: Consumer | None = None
        self._pen: Producer | None = None
        self._next_offset = 0

    def catch_up(self) -> None:
        """Read all that is committed now. Raises RegistryError 50001 when Kafka is away for PATIENCE_S."""
        self._patiently(self._read_to_end)

    def append(self, decide: Callable[[RegistryState], Record | None]) -> None:
        """Append what is decided on the log's end, and read it back; None appends nothing.

        Whatever `decide` raises comes through. Raises RegistryError 50001 when Kafka is away for PATIENCE_S; the
        record may then stand or not, and asking again is safe.
        """
        self._patiently(lambda deadline: self._try_append(decide, deadline))

    def _patiently(self, attempt: Callable[[float], None]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        with self._lock:
            while True:
                try:
                    attempt(deadline)
                    return
                except KafkaException as error:
                    self._pen = None
                    self._admin = self._new_admin()  # librdkafka's keeps asking by the leader epoch it saw first
                    if time.monotonic() > deadline:
                        raise RegistryError(50001, f"Error in the backend data store: {error}") from error
                    log.info("registry.asks_again", reason=str(error))
                    time.sleep(0.1)

    def _try_append(self, decide: Callable[[RegistryState], Record | None], deadline: float) -> None:
        pen = self._pen or self._take_pen(deadline)
        record = decide(self.state)
        if record is None:
            return
        offsets: list[int] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                offsets.append(message.offset() or 0)

        key, value = encode(record)
        pen.begin_transaction()
        pen.produce(TOPIC, value=value, key=key, partition=0, on_delivery=delivered)
        pen.flush(_left(deadline))
        if not offsets:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        pen.commit_transaction(_left(deadline))
        self._read_until(offsets[0] + 1, deadline)

    def _take_pen(self, deadline: float) -> Producer:
        pen = Producer(
            producer_config(self._settings)
            | {"transactional.id": "tally-schema-registry", "transaction.timeout.ms": 10_000}
        )
        self._reader(deadline)
        pen.init_transactions(_left(deadline))
        self._read_to_end(deadline)
        self._pen = pen
        return pen

    def _new_admin(self) -> AdminClient:
        return AdminClient(client_config(self._settings))

    def _read_to_end(self, deadline: float) -> None:
        self._reader(deadline)
        asked = self._admin.list_offsets(
            {_PARTITION: _END},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=_left(deadline),
        )
        self._read_until(asked[_PARTITION].result().offset, deadline)

    def _read_until(self, offset: int, deadline: float) -> None:
        reader = self._reader(deadline)
        while self._next_offset < offset:
            message = reader.poll(_left(deadline))
            if message is None:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            error = message.error()
            if error is None:
                self._take_in(message)
                self._next_offset = (message.offset() or 0) + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                self._next_offset = message.offset() or 0  # also past transaction markers, which are never delivered
            elif error.code() == KafkaError._FATAL:
                raise KafkaException(error)

    def _take_in(self, message: Message) -> None:
        try:
            record = decode(message.key(), message.value())
            if record:
                self.state.evolve(record)
        except (ValueError, KeyError, TypeError, RegistryError) as error:
            log.error("registry.unreadable_record", offset=message.offset(), reason=str(error))

    def _reader(self, deadline: float) -> Consumer:
        if self._consumer is None:
            self._ensure_topic(deadline)
            consumer = Consumer(
                consumer_config(self._settings, "tally-schema-registry")
                | {"enable.partition.eof": True, "fetch.wait.max.ms": 50}
            )
            consumer.assign([TopicPartition(TOPIC, 0, OFFSET_BEGINNING)])
            self._consumer = consumer
        return self._consumer

    def _ensure_topic(self, deadline: float) -> None:
        topic = next(topic for topic in TOPICS if topic.name == TOPIC)
        config = topic_config(topic, self._settings)
        wanted = NewTopic(TOPIC, topic.partitions, self._settings.replication_factor, config=config)
        try:
            self._admin.create_topics([wanted], request_timeout=_left(deadline))[TOPIC].result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


def _left(deadline: float) -> float:
    return max(0.05, deadline - time.monotonic())

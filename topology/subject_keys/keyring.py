"""The users' keys as one process has them: read from Kafka, followed, and made for those who have none."""

from __future__ import annotations

import os
import threading
import time

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from schemas.sealing import KEY_BYTES, KeysUnavailable
from topology.kafka import client_config, consumer_config, producer_config, record_bytes
from topology.settings import Settings
from topology.subject_keys.state import SubjectKeys, offer_of

TOPIC = "subject-keys"
PATIENCE_S = 10.0
"""How long a look-up waits for Kafka before it fails."""

MAX_OPENED = 100_000
"""Unwrapped keys held at once."""

_PARTITION = TopicPartition(TOPIC, 0)
_END = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_SLICE_S = 0.2

log = structlog.get_logger()


def open_keyring(settings: Settings) -> KafkaKeyring | None:
    """The keyring of a system with a master key; None of one without, in which nothing is sealed."""
    master = settings.privacy_master_key.get_secret_value()
    return KafkaKeyring(settings, master) if master else None


class KafkaKeyring:
    """See `schemas.sealing.Keyring`. Reads the topic on first use and follows it from then on, until closed.

    A key that is not known is looked for up to the log's end as it is now. A key stands in the log before the first
    text sealed with it, so one that is not found there is gone: no wait has to be guessed.
    """

    def __init__(self, settings: Settings, master_key: str) -> None:
        self._settings = settings
        self._master = AESSIV(HKDF(SHA512(), KEY_BYTES, None, b"tally subject-keys").derive(master_key.encode()))
        self._keys = SubjectKeys()
        self._opened: dict[str, AESSIV] = {}
        self._next_offset = 0
        self._moved = threading.Condition()
        self._closing = threading.Event()
        self._starting = threading.Lock()
        self._follower: threading.Thread | None = None
        self._admin: AdminClient | None = None
        self._producer: Producer | None = None

    def close(self) -> None:
        """Stop following. A keyring may be closed twice."""
        self._closing.set()
        if self._follower is not None:
            self._follower.join()

    def is_erased(self, subject: str) -> bool:
        """See Keyring."""
        if self._follower is None:
            self.catch_up()
        return subject in self._keys.erased

    def knows(self, subject: str) -> bool:
        """Whether `reading` and `writing` would answer at once."""
        return subject in self._opened or subject in self._keys.erased or self._keys.wrapped(subject) is not None

    def reading(self, subject: str) -> AESSIV | None:
        """See Keyring."""
        opened = self._opened.get(subject)
        if opened is not None:
            return opened
        if not self.knows(subject):
            self.catch_up()
        return self._open(subject)

    def writing(self, subject: str) -> AESSIV | None:
        """See Keyring. A key is used only after the log was read back: another process may have been first."""
        key = self.reading(subject)
        if key is None and subject not in self._keys.erased:
            wrapped = self._master.encrypt(os.urandom(KEY_BYTES), [subject.encode()])
            self._append([(offer_of(subject), wrapped)])
            self.catch_up()
            key = self._open(subject)
        return key

    def erase(self, subject: str) -> None:
        """Destroy the user's key, for good. Erasing twice does no harm. Raises KeysUnavailable: try again then."""
        self.catch_up()
        with self._moved:
            records = self._keys.erasure(subject)
        self._append(records)
        self.catch_up()

    def erased(self) -> frozenset[str]:
        """Everybody who is erased now. Raises KeysUnavailable."""
        self.catch_up()
        with self._moved:
            return frozenset(self._keys.erased)

    def catch_up(self) -> None:
        """Take in all that the log holds now. Raises KeysUnavailable."""
        deadline = time.monotonic() + PATIENCE_S
        self._follow()
        end = self._end(deadline)
        with self._moved:
            if not self._moved.wait_for(lambda: self._next_offset >= end, max(0.0, deadline - time.monotonic())):
                raise KeysUnavailable(f"{TOPIC} was not read to its end in {PATIENCE_S} s")

    def _open(self, subject: str) -> AESSIV | None:
        with self._moved:  # so that no key is put back that was erased meanwhile
            opened, wrapped = self._opened.get(subject), self._keys.wrapped(subject)
            if opened is not None or wrapped is None:
                return opened
            try:
                opened = AESSIV(self._master.decrypt(wrapped, [subject.encode()]))
            except (InvalidTag, ValueError) as error:
                raise KeysUnavailable(f"TALLY_PRIVACY_MASTER_KEY does not open the key of user {subject}") from error
            if len(self._opened) >= MAX_OPENED:
                self._opened.clear()
            self._opened[subject] = opened
            return opened

    def _end(self, deadline: float) -> int:
        while True:
            with self._starting:
                if self._admin is None:  # a client with nothing to send is false
                    self._admin = AdminClient(client_config(self._settings))
                admin = self._admin
            try:
                asked = admin.list_offsets({_PARTITION: _END}, request_timeout=max(0.1, deadline - time.monotonic()))
                return int(asked[_PARTITION].result().offset)
            except KafkaException as error:
                with self._starting:
                    if self._admin is admin:
                        self._admin = None  # librdkafka's keeps asking by the leader epoch it saw first
                if time.monotonic() + _SLICE_S > deadline:
                    raise KeysUnavailable(f"{TOPIC} cannot be read: {error}") from error
                time.sleep(_SLICE_S)

    def _append(self, records: list[tuple[str, bytes | None]]) -> None:
        """In order, each acknowledged. Raises KeysUnavailable."""
        with self._starting:
            if self._producer is None:
                self._producer = Producer(producer_config(self._settings))
            producer = self._producer
        answers: list[KafkaError | None] = []
        for key, value in records:
            producer.produce(TOPIC, value, key, 0, on_delivery=lambda error, _: answers.append(error))
        producer.flush(PATIENCE_S)
        if answers != [None] * len(records):
            reason = next(filter(None, answers), "no answer")
            raise KeysUnavailable(f"{TOPIC} cannot be written: {reason}")

    def _follow(self) -> None:
        with self._starting:
            if self._follower is None:
                self._follower = threading.Thread(target=self._read, name=TOPIC, daemon=True)
                self._follower.start()

    def _read(self) -> None:
        consumer = Consumer(
            consumer_config(self._settings, f"tally.{TOPIC}") | {"enable.partition.eof": True, "log_level": 0}
        )
        try:
            consumer.assign([TopicPartition(TOPIC, 0, OFFSET_BEGINNING)])
            while not self._closing.is_set():
                first = consumer.poll(_SLICE_S)
                if first is not None:
                    # Only what is there already: to wait for more is to keep those waiting who need the first.
                    with self._moved:
                        for message in (first, *consumer.consume(5_000, 0)):
                            self._take(message)
                        self._moved.notify_all()
        finally:
            consumer.close()

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is None:
            erased = self._keys.take(record_bytes(message.key()).decode(), _value(message))
            if erased is not None:
                self._opened.pop(erased, None)
            self._next_offset = (message.offset() or 0) + 1
        elif error.code() == KafkaError._PARTITION_EOF:
            self._next_offset = message.offset() or 0
        else:
            log.warning("the users' keys cannot be followed now", error=str(error))


def _value(message: Message) -> bytes | None:
    value = message.value()
    return None if value is None else record_bytes(value)

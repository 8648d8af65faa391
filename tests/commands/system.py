"""Real deciders on a real broker: start them, hand them commands, and read what they wrote."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from commands import identity
from schemas.commands.accounts import Register
from schemas.message import Command, Event, Message
from schemas.wire import Codec, Decoded
from tests.engines import broker_answers, free_ports, wait_until
from topology.admin import ensure_topics
from topology.child import Launch, start, stop
from topology.embedded.kafka import KafkaBroker
from topology.kafka import client_config, consumer_config, producer_config
from topology.readiness import ready_pid
from topology.settings import Settings
from topology.topics import PARTITIONS

PATIENCE_S = 60.0

C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)


def now(command: type[C], /, actor: str, command_id: str = "", **fields: Any) -> C:
    """A command as a gateway would make it."""
    return command(
        command_id=command_id or identity.new_id(),
        issued_at=datetime.now(UTC),
        actor=actor,
        correlation_id=identity.new_id(),
        **fields,
    )


def new_login() -> str:
    return f"t{os.urandom(8).hex()}"


def registration(login: str) -> Register:
    user_id = identity.user_id_of(login)
    return now(Register, user_id, user_id=user_id, login=login, display_name=login, password_verifier="verifier")


class Deciders:
    """A deciders' process. `node` tells one from another; the same name again is the same one come back."""

    def __init__(self, settings: Settings, directory: Path, node: str = "decider-a", aggregates: tuple[str, ...] = ()):
        self.log = directory / f"{node}.log"
        self._settings = settings.model_copy(update={"data_dir": directory / node, "node": node})
        self._arguments = [argument for name in aggregates for argument in ("--aggregate", name)]
        self.process = self._start()

    def ready(self) -> None:
        wait_until(lambda: ready_pid(self._settings, "deciders") == self.process.pid, self.process, self.log)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self.process = self._start()

    def stop(self) -> int:
        return stop(self.process, Launch(()))

    def _start(self) -> subprocess.Popen[bytes]:
        launch = Launch((sys.executable, "-m", "commands", *self._arguments), env=self._settings.environment())
        return start(launch, self.log)


@contextmanager
def deciding(
    settings: Settings, directory: Path, node: str = "decider-a", aggregates: tuple[str, ...] = ()
) -> Iterator[Deciders]:
    """Deciders that are ready; ended, whatever became of them, at the end."""
    deciders = Deciders(settings, directory, node, aggregates)
    try:
        deciders.ready()
        yield deciders
    finally:
        if deciders.process.poll() is None:
            deciders.signal(signal.SIGCONT)
            deciders.stop()


class Placed(NamedTuple):
    """A committed record and where it lies."""

    partition: int
    offset: int
    record: Decoded


class Log:
    """Appends to and reads from topics as any other client would."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self._settings = settings
        self._codec = codec
        self._producer = Producer(producer_config(settings))
        self._admin = AdminClient(client_config(settings))

    def append(self, *messages: Message, topic: str = "") -> None:
        for message in messages:
            self._producer.produce(topic or message.topic, self._codec.encode(message), message.key)
        assert self._producer.flush(PATIENCE_S) == 0

    def append_raw(self, topic: str, key: str, value: bytes, partition: int) -> None:
        self._producer.produce(topic, value, key, partition)
        assert self._producer.flush(PATIENCE_S) == 0

    def append_aborted(self, *messages: tuple[str, Message]) -> None:
        """In a transaction that is undone."""
        producer = Producer(producer_config(self._settings) | {"transactional.id": identity.new_id()})
        producer.init_transactions(PATIENCE_S)
        producer.begin_transaction()
        for topic, message in messages:
            producer.produce(topic, self._codec.encode(message), message.key)
        assert producer.flush(PATIENCE_S) == 0
        producer.abort_transaction(PATIENCE_S)

    def read(self, topic: str) -> list[Placed]:
        """Everything committed on the topic now."""
        consumer = Consumer(
            consumer_config(self._settings, identity.new_id()) | {"enable.partition.eof": True, "fetch.wait.max.ms": 20}
        )
        ends = self._ends(topic)
        consumer.assign([TopicPartition(topic, number, 0) for number in ends])
        placed, reached = [], dict.fromkeys(ends, 0)
        deadline = time.monotonic() + PATIENCE_S
        try:
            while any(reached[number] < end for number, end in ends.items()):
                assert time.monotonic() < deadline, f"{topic} was read up to {reached} of {ends}"
                message = consumer.poll(0.5)
                if message is None:
                    continue
                error, partition, offset = message.error(), message.partition(), message.offset()
                assert partition is not None and offset is not None
                if error is None:
                    placed.append(Placed(partition, offset, self._codec.decode(message.value())))
                elif error.code() == KafkaError._PARTITION_EOF:
                    reached[partition] = offset
            return placed
        finally:
            consumer.close()

    def results_of(self, aggregate: str, command_ids: set[str]) -> list[Placed]:
        return [each for each in self.read(f"results.{aggregate}") if each.record.fields["command_id"] in command_ids]

    def _ends(self, topic: str) -> dict[int, int]:
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(topic, number): latest for number in range(PARTITIONS)}
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                answers = self._admin.list_offsets(
                    asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=PATIENCE_S
                )
                return {place.partition: answer.result().offset for place, answer in answers.items()}
            except KafkaException:  # a client from before a restart asks with an old leader epoch for ever
                self._admin = AdminClient(client_config(self._settings))
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


def eventually(check: Callable[[], bool], what: str) -> None:
    """Wait until the check holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.2)


class MortalBroker:
    """An embedded broker of one's own, with every topic, that may be killed and started again."""

    def __init__(self, directory: Path) -> None:
        port, controller_port = free_ports(2)
        self.settings = Settings(data_dir=directory).model_copy(update={"kafka_bootstrap": f"127.0.0.1:{port}"})
        broker = KafkaBroker(directory / "kafka", self.settings.cache_dir, port, controller_port)
        self._launch = broker.prepare()
        self._log = directory / "kafka.log"
        self._process = self._start()
        ensure_topics(self.settings)

    def kill_and_restart(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process = self._start()

    def close(self) -> None:
        stop(self._process, self._launch)

    def _start(self) -> subprocess.Popen[bytes]:
        process = start(self._launch, self._log)
        wait_until(lambda: broker_answers(self.settings), process, self._log)
        return process

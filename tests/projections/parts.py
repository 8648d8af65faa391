"""Processes that tests kill and start again, events to fill topics with, and what the read models should then hold."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from confluent_kafka import Consumer, Producer, TopicPartition

from projections.contract import Record
from projections.models import MODELS
from projections.tables import Model
from schemas.events.chat import MessageSent
from schemas.events.follows import UserFollowed, UserUnfollowed
from schemas.message import Event
from schemas.wire import Codec
from tests import engines
from tests.projections.interpreter import Rows, apply
from tests.projections.waiting import eventually
from topology.admin import ensure_topics
from topology.child import Launch, start, stop
from topology.embedded.kafka import KafkaBroker
from topology.embedded.postgres import PostgresServer
from topology.kafka import consumer_config, producer_config
from topology.readiness import ready_pid
from topology.settings import Settings


class Part:
    """One process of the system under test."""

    def __init__(self, prepare: Callable[[], Launch], log: Path) -> None:
        self._prepare = prepare
        self._launch: Launch | None = None
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        self._launch = self._prepare()
        self.process = start(self._launch, self.log)

    def signal(self, number: int) -> None:
        """To the process and its children: a database's are as dead as it is."""
        os.killpg(self.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None and self._launch is not None
        if self.process.poll() is not None:
            return self.process.returncode
        self.process.send_signal(signal.SIGCONT)
        return stop(self.process, self._launch)

    def assert_alive(self) -> None:
        assert self.process is not None and self.process.poll() is None, self.log.read_text()

    async def exit_code(self) -> int:
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait)


@dataclass
class Stack:
    """Engines of the test's own, so that it may kill them and poison the topics."""

    settings: Settings
    kafka: Part
    postgres: Part
    registry: Part
    dsn: str

    async def up(self, part: Part) -> None:
        """Start it and wait until it answers."""
        part.start()
        checks = {
            id(self.kafka): lambda: engines.broker_answers(self.settings),
            id(self.postgres): lambda: engines._database_answers(self.dsn),
            id(self.registry): lambda: engines.answers(f"{self.settings.schema_registry_url}/subjects"),
        }
        await eventually(lambda: asyncio.to_thread(checks[id(part)]))


@contextmanager
def stack(directory: Path) -> Iterator[Stack]:
    """Kafka with every topic, the registry and Postgres."""
    port, controller_port, registry_port, postgres_port = engines.free_ports(4)
    server = PostgresServer(directory / "postgres", postgres_port, engines.PASSWORD)
    settings = Settings.model_validate(
        {
            "data_dir": directory,
            "kafka_bootstrap": f"127.0.0.1:{port}",
            "kafka_controller_port": controller_port,
            "schema_registry_url": f"http://127.0.0.1:{registry_port}",
            "schema_registry_port": registry_port,
            "postgres_dsn": server.dsn,
        }
    )
    broker = KafkaBroker(directory / "kafka", settings.cache_dir, port, controller_port)
    made = Stack(
        settings,
        kafka=Part(broker.prepare, directory / "kafka.log"),
        postgres=Part(server.prepare, directory / "postgres.log"),
        registry=Part(lambda: module(settings, "topology.registry"), directory / "registry.log"),
        dsn=server.dsn,
    )
    with ExitStack() as parts:
        for part in (made.kafka, made.postgres, made.registry):
            asyncio.run(made.up(part))
            parts.callback(part.stop)
            if part is made.kafka:
                ensure_topics(settings)
        yield made


def module(settings: Settings, *arguments: str) -> Launch:
    """`python -m` with these settings."""
    return Launch((sys.executable, "-m", *arguments), env=settings.environment())


@contextmanager
def runner(settings: Settings, store: str = "postgres") -> Iterator[Part]:
    """`python -m projections <store>`, stopped at the end."""
    part = Part(
        lambda: module(settings, "projections", store), settings.data_dir / f"projections-{uuid.uuid4().hex}.log"
    )
    part.start()
    try:
        yield part
    finally:
        part.stop()


async def ready(settings: Settings, part: Part, store: str = "postgres") -> None:
    async def announced() -> bool:
        part.assert_alive()
        return ready_pid(settings, f"projections-{store}") == part.pid

    await eventually(announced)


class Feed:
    """Appends events; `run` goes on until told to stop."""

    def __init__(self, settings: Settings) -> None:
        self._codec = Codec(settings.schema_registry_url)
        self._producer = Producer(producer_config(settings) | {"message.timeout.ms": 120_000})
        self._count = 0

    def close(self) -> None:
        self._codec.close()

    def append(self, *events: Event) -> None:
        for event in events:
            self._producer.produce(event.topic, self._codec.encode(event), event.key)
        self._producer.flush()

    def append_raw(self, topic: str, value: bytes | None, partition: int = 0) -> None:
        self._producer.produce(topic, value, partition=partition)
        self._producer.flush()

    def some(self, count: int) -> None:
        """Messages and follows of a few channels, a third of the follows taken back, every tenth message repeated."""
        for number in range(self._count, self._count + count):
            channel, follower = str(number % 7), str(number % 31)
            message = event(
                MessageSent,
                channel_id=channel,
                message_id=f"m{number}",
                sender_id=follower,
                sender_login="ann",
                text=f"message {number}",
            )
            follow = UserUnfollowed if number % 3 == 2 else UserFollowed
            self.append(message, event(follow, channel_id=channel, follower_id=follower))
            if number % 10 == 0:
                self.append(message)
        self._count += count

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await asyncio.to_thread(self.some, 20)


def event(type_: type[Event], **fields: Any) -> Event:
    """One that happened now."""
    envelope = {
        "event_id": str(uuid.uuid4()),
        "occurred_at": datetime.now(UTC),
        "actor": "system:test",
        "correlation_id": "test",
    }
    return type_.model_validate(envelope | fields)


def ends(settings: Settings, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """Where the committed records of each partition end."""
    with closing(Consumer(consumer_config(settings, "ends"))) as consumer:
        known = consumer.list_topics(timeout=10.0).topics
        return {
            (topic, partition): consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10.0)[1]
            for topic in topics
            for partition in known[topic].partitions
        }


def expected_rows(settings: Settings, model: Model) -> Rows:
    """The fold of the model's whole topic, record by record."""
    consumer = Consumer(consumer_config(settings, "fold"))
    rows: Rows = {}
    with closing(consumer), closing(Codec(settings.schema_registry_url)) as codec:
        for (topic, partition), end in ends(settings, [model.topic]).items():
            consumer.assign([TopicPartition(topic, partition, 0)])
            offset = 0
            while offset < end:
                message = consumer.poll(10.0)
                assert message is not None and message.error() is None
                decoded, at = codec.decode(message.value()), message.offset()
                assert at is not None
                apply(rows, model.fold([Record(at, decoded.type, decoded.fields)]))
                offset = at + 1
    return rows


async def stored_rows(connection: asyncpg.Connection, model: Model) -> Rows:
    """What the live version of the model's views holds."""
    return {
        (table.name, tuple(row)[: table.key_width]): tuple(row)
        for table in model.tables
        for row in await connection.fetch(f"SELECT {', '.join(table.columns)} FROM tally.{table.name}")
    }


async def caught_up(settings: Settings, dsn: str, live: Part) -> None:
    """Wait until the runner has brought every projection to the end of its topic as it is now."""
    wanted = await asyncio.to_thread(ends, settings, [model.topic for model in MODELS])

    async def reached() -> bool:
        live.assert_alive()
        connection = await asyncpg.connect(dsn)
        try:
            rows = await connection.fetch("SELECT topic, partition, next_offset FROM tally.progress")
        finally:
            await connection.close()
        found = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        return all(found.get(place, -1) >= end for place, end in wanted.items())

    await eventually(reached)


async def assert_models_equal_their_topics(settings: Settings, dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for model in MODELS:
            assert await stored_rows(connection, model) == await asyncio.to_thread(expected_rows, settings, model)
    finally:
        await connection.close()

"""Deciders that are stopped, killed and cut off from Kafka while commands keep coming."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from commands import identity
from commands.client import CommandClient
from commands.outage import Outage
from commands.writer import Record, TransactionalWriter
from schemas.commands.chat import SendMessage
from schemas.commands.follows import Follow
from schemas.message import Command
from schemas.wire import Codec
from tests import engines
from tests.commands.system import Deciders, Log, MortalBroker, deciding, eventually, new_login, now, registration
from topology.kafka import consumer_config
from topology.settings import Settings

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(400)]

BATCH = 20


@pytest.fixture
def log(registry: Settings) -> Iterator[Log]:
    with closing(Codec(registry.schema_registry_url)) as codec:
        codec.register_all()
        yield Log(registry, codec)


class Load:
    """Appends commands made by `make`, each once, until told to stop."""

    def __init__(self, log: Log, make: Callable[[int], Command]) -> None:
        self.command_ids: set[str] = set()
        self._log = log
        self._make = make
        self._stopping = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stopping.wait(0.02):
            commands = [self._make(number + step) for step in range(BATCH)]
            number += BATCH
            self._log.append(*commands)
            self.command_ids |= {command.command_id for command in commands}


def registered_channel(log: Log) -> str:
    """A channel that exists."""
    command = registration(new_login())
    log.append(command)
    eventually(lambda: bool(log.results_of("accounts", {command.command_id})), "the channel is registered")
    return command.user_id


def assert_each_decided_once(log: Log, load: Load, aggregate: str, channel_id: str) -> None:
    eventually(
        lambda: (
            {each.record.fields["command_id"] for each in log.results_of(aggregate, load.command_ids)}
            == load.command_ids
        ),
        f"a result for each of {len(load.command_ids)} commands",
    )
    results = log.results_of(aggregate, load.command_ids)
    events = [each for each in log.read(aggregate) if each.record.fields["channel_id"] == channel_id]

    assert Counter(each.record.type for each in results) == {"CommandAccepted": len(load.command_ids)}
    assert Counter(each.record.fields["command_id"] for each in events) == dict.fromkeys(load.command_ids, 1)
    said = {each.record.fields["command_id"]: each.record.fields["offset"] for each in results}
    assert said == {each.record.fields["command_id"]: each.offset for each in events}


def follows_of(channel_id: str) -> Callable[[int], Command]:
    return lambda number: now(Follow, f"follower-{number}", channel_id=channel_id)


def test_a_writer_whose_place_another_took_in_mid_transaction_is_fenced_and_leaves_nothing(
    registry: Settings, log: Log
) -> None:
    channel_id = new_login()
    of_nobody = [Record("follows", channel_id, b"of nobody", 0)]
    before = log.read("follows")
    consumer = Consumer(consumer_config(registry, identity.new_id()))

    def writer() -> TransactionalWriter:
        return TransactionalWriter(registry, f"tally.test.{channel_id}", consumer, Outage(), threading.Event())

    try:
        first = writer()
        first.begin()
        first.append(of_nobody)
        second = writer()
        with pytest.raises(KafkaException, match="fenced"):
            first.append(of_nobody)
        second.begin()
        second.append([])
        second.commit([TopicPartition("commands.follows", 0, 0)], [])
    finally:
        consumer.close()
    assert log.read("follows") == before


def test_a_decider_that_was_asleep_while_another_took_over_gives_its_place_up(
    registry: Settings, log: Log, tmp_path: Path
) -> None:
    with deciding(registry, tmp_path, "first", ("accounts", "follows")) as first:
        channel_id = registered_channel(log)
        load = Load(log, follows_of(channel_id))
        with load.running():
            eventually(lambda: bool(log.results_of("follows", load.command_ids)), "the first decider decides")
            first.signal(signal.SIGSTOP)
            with deciding(registry, tmp_path, "second", ("follows",)) as second:
                asleep = set(load.command_ids)
                eventually(
                    lambda: len(log.results_of("follows", asleep)) >= len(asleep), "the second decider takes over"
                )
                first.signal(signal.SIGCONT)
                # Fenced at its next write, or told by its group before it comes to one: as the pause found it.
                eventually(lambda: '"no longer deciding"' in first.log.read_text(), "the first gives its place up")
                eventually(lambda: first.log.read_text().count('"deciding"') > 2, "the first is given partitions again")
                assert second.process.poll() is None
        assert_each_decided_once(log, load, "follows", channel_id)


def test_killing_deciders_again_and_again_loses_and_repeats_nothing(
    registry: Settings, log: Log, tmp_path: Path
) -> None:
    with deciding(registry, tmp_path) as deciders:
        channel_id = registered_channel(log)
        load = Load(log, follows_of(channel_id))
        with load.running():
            eventually(lambda: bool(log.results_of("follows", load.command_ids)), "the deciders decide")
            for _ in range(4):
                deciders.kill()
                deciders.restart()
                deciders.ready()
                time.sleep(0.5)
        assert_each_decided_once(log, load, "follows", channel_id)


def test_killing_deciders_repeats_chat_only_under_the_same_id(registry: Settings, log: Log, tmp_path: Path) -> None:
    with deciding(registry, tmp_path) as deciders:
        channel_id = registered_channel(log)
        load = Load(
            log, lambda number: now(SendMessage, str(number), channel_id=channel_id, sender_login="x", text="hi")
        )
        with load.running():
            eventually(lambda: bool(log.results_of("chat", load.command_ids)), "the deciders decide")
            for _ in range(4):
                deciders.kill()
                deciders.restart()
                deciders.ready()
                time.sleep(0.5)
        eventually(
            lambda: (
                {each.record.fields["command_id"] for each in log.results_of("chat", load.command_ids)}
                >= load.command_ids
            ),
            "a result for each message",
        )

    events = [each.record.fields for each in log.read("chat") if each.record.fields["channel_id"] == channel_id]
    assert {(event["command_id"], event["event_id"], event["message_id"]) for event in events} == {
        (command_id, identity.derived_id(command_id, 0), identity.derived_id(command_id, 0))
        for command_id in load.command_ids
    }
    results = log.results_of("chat", load.command_ids)
    assert {each.record.type for each in results} == {"CommandAccepted"}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MortalBroker]:
    if engines.docker_answers():
        pytest.skip("kills the embedded broker")
    directory = tmp_path_factory.mktemp("mortal")
    with closing(MortalBroker(directory)) as broker, engines.registry(broker.settings) as settings:
        broker.settings = settings
        yield broker


@pytest.fixture(scope="module")
def survivors(broker: MortalBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deciders]:
    with deciding(broker.settings, tmp_path_factory.mktemp("survivors")) as deciders:
        yield deciders


def test_killing_kafka_loses_and_repeats_nothing(broker: MortalBroker, survivors: Deciders) -> None:
    with closing(Codec(broker.settings.schema_registry_url)) as codec:
        codec.register_all()
        log = Log(broker.settings, codec)
        channel_id = registered_channel(log)
        load = Load(log, follows_of(channel_id))
        with load.running():
            for _ in range(6):
                before = len(log.results_of("follows", load.command_ids))
                eventually(
                    lambda seen=before: len(log.results_of("follows", load.command_ids)) > seen,  # type: ignore[misc]
                    "the deciders decide",
                )
                broker.kill_and_restart()
        assert_each_decided_once(log, load, "follows", channel_id)
        assert survivors.process.poll() is None


async def test_a_client_outlives_kafka(broker: MortalBroker, survivors: Deciders) -> None:
    with closing(Codec(broker.settings.schema_registry_url)) as codec:
        codec.register_all()
        async with CommandClient(broker.settings, codec) as client:
            before, during = registration(new_login()), registration(new_login())
            accepted = await client.submit(before, 60)
            restarting = asyncio.create_task(asyncio.to_thread(broker.kill_and_restart))
            assert (await client.submit(during, 120)).reply == {"user_id": during.user_id}
            await restarting
            assert await client.submit(before, 60) == accepted

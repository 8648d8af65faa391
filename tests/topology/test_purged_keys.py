"""A destroyed key leaves Kafka: what the topic promises, and that a real broker's disk loses the bytes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from pydantic import SecretStr

from tests.engines import docker_answers
from topology.kafka import client_config, consumer_config, producer_config
from topology.settings import Settings
from topology.subject_keys.keyring import TOPIC, KafkaKeyring, open_keyring
from topology.subject_keys.state import ERASED

pytestmark = pytest.mark.stack

PATIENCE_S = 240.0
SOON = {"segment.ms": "500", "max.compaction.lag.ms": "500", "file.delete.delay.ms": "500"}
"""In place of an hour, an hour and a minute."""


@pytest.fixture
def ring(kafka: Settings) -> Iterator[KafkaKeyring]:
    made = open_keyring(kafka.model_copy(update={"privacy_master_key": SecretStr("of tests")}))
    assert made
    with closing(made):
        yield made


def configured(settings: Settings) -> dict[str, str]:
    admin = AdminClient(client_config(settings))  # an answer comes only as long as it lives
    (answer,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, TOPIC)]).values()
    return {name: entry.value for name, entry in answer.result(30).items()}


def configure(settings: Settings, values: Mapping[str, str]) -> None:
    resource = ConfigResource(ResourceType.TOPIC, TOPIC)
    for name, value in values.items():
        resource.add_incremental_config(ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET))
    admin = AdminClient(client_config(settings))
    (answer,) = admin.incremental_alter_configs([resource]).values()
    answer.result(30)


@contextmanager
def hurried(settings: Settings) -> Iterator[None]:
    before = configured(settings)
    configure(settings, SOON)
    try:
        yield
    finally:
        configure(settings, {name: before[name] for name in SOON})


def records(settings: Settings, user: str) -> dict[bytes, bytes | None]:
    """The last value of each of the user's Kafka keys."""
    last: dict[bytes, bytes | None] = {}
    options = {"enable.partition.eof": True}
    with closing(Consumer(consumer_config(settings, f"tests-{uuid4().hex}") | options)) as consumer:
        consumer.assign([TopicPartition(TOPIC, 0, OFFSET_BEGINNING)])
        while (record := consumer.poll(30)) is not None and record.error() is None:
            key = record.key() or b""
            if key.split(b"/")[0] == user.encode():
                last[key] = record.value()
    return last


def append(settings: Settings, key: str, value: bytes) -> None:
    producer = Producer(producer_config(settings))
    producer.produce(TOPIC, value, key, 0)
    assert producer.flush(20) == 0


def test_the_topic_lets_go_of_a_key_within_the_times_that_the_page_names(kafka: Settings) -> None:
    told = configured(kafka)
    assert told["cleanup.policy"] == "compact"
    assert {name: int(told[name]) for name in SOON} == {
        "segment.ms": 3_600_000,
        "max.compaction.lag.ms": 3_600_000,
        "file.delete.delay.ms": 60_000,
    }


def test_an_erasure_that_was_killed_after_its_first_record_is_finished_by_another(
    ring: KafkaKeyring, kafka: Settings
) -> None:
    user = uuid4().hex
    assert ring.writing(user)
    append(kafka, user, ERASED)
    assert sum(value is not None for value in records(kafka, user).values()) == 2
    ring.erase(user)
    assert [value for value in records(kafka, user).values() if value is not None] == [ERASED]


@pytest.mark.skipif(docker_answers(), reason="the broker's disk lies in a container")
def test_the_brokers_disk_loses_the_wrapped_key(ring: KafkaKeyring, kafka: Settings) -> None:
    user = uuid4().hex
    assert ring.writing(user)
    (wrapped,) = records(kafka, user).values()
    assert wrapped is not None

    def files() -> list[Path]:
        return [path for path in kafka.data_dir.rglob(f"{TOPIC}-0*/*") if wrapped in _content(path)]

    assert files(), "it was never there"
    ring.erase(user)
    with hurried(kafka):
        deadline = time.monotonic() + PATIENCE_S
        while files():
            assert time.monotonic() < deadline, "the wrapped key still lies on the broker's disk"
            ring.writing(uuid4().hex)  # a segment ends with the next record only
            time.sleep(1)
    assert ring.reading(user) is None
    assert [value for value in records(kafka, user).values() if value is not None] == [ERASED]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):  # Kafka has removed it meanwhile
        return b""

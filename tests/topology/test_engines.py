from __future__ import annotations

import asyncpg
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from topology.admin import ensure_topics
from topology.kafka import client_config, consumer_config, producer_config
from topology.settings import Settings
from topology.topics import TOPICS

pytestmark = pytest.mark.stack


def test_every_topic_has_its_partitions_and_retention(kafka: Settings) -> None:
    admin = AdminClient(client_config(kafka))
    found = admin.list_topics(timeout=10).topics
    resources = {topic.name: ConfigResource(ResourceType.TOPIC, topic.name) for topic in TOPICS}
    configs = admin.describe_configs(list(resources.values()))
    for topic in TOPICS:
        config = configs[resources[topic.name]].result(10)
        assert len(found[topic.name].partitions) == topic.partitions
        assert config["retention.ms"].value == str(topic.retention_ms)
        assert config["cleanup.policy"].value == ("compact" if topic.compacted else "delete")


def test_topics_are_ensured_twice_without_harm(kafka: Settings) -> None:
    ensure_topics(kafka)


async def test_the_database_asks_for_the_password(postgres: str) -> None:
    connection = await asyncpg.connect(postgres)
    assert await connection.fetchval("SELECT current_database()") == "tally"
    await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres, password="guessed")


def test_an_acknowledged_record_is_read_back(kafka: Settings) -> None:
    producer = Producer(producer_config(kafka))
    written: list[int | None] = []
    producer.produce(
        "playback", b"x", key=b"engines-test", partition=0, on_delivery=lambda _, m: written.append(m.offset())
    )
    assert producer.flush(10) == 0
    consumer = Consumer(consumer_config(kafka, "engines-test"))
    consumer.subscribe(["playback"])
    message = next(m for m in iter(lambda: consumer.poll(10), None) if m.key() == b"engines-test")
    consumer.close()
    assert message.offset() == written[0]

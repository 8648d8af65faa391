"""Make the topics what the table in `topology.topics` says they are."""

from __future__ import annotations

from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from topology.kafka import client_config
from topology.settings import Settings
from topology.topics import TOPICS, Topic

_TIMEOUT_S = 30.0


class TopicMismatchError(Exception):
    """A topic exists with another number of partitions: keys would move, so nothing here may change it."""


def ensure_topics(settings: Settings) -> None:
    """Create what is missing and bring retention, cleanup and durability up to date.

    Raises TopicMismatchError, or KafkaException when the cluster is away.
    """
    admin = AdminClient(client_config(settings))
    existing = admin.list_topics(timeout=_TIMEOUT_S).topics
    for topic in TOPICS:
        if topic.name in existing and len(existing[topic.name].partitions) != topic.partitions:
            found = len(existing[topic.name].partitions)
            raise TopicMismatchError(f"topic {topic.name} has {found} partitions, not {topic.partitions}")
    missing = [
        NewTopic(topic.name, topic.partitions, settings.replication_factor, config=topic_config(topic, settings))
        for topic in TOPICS
        if topic.name not in existing
    ]
    if missing:
        for created in admin.create_topics(missing, operation_timeout=_TIMEOUT_S).values():
            _await_creation(created)
    altered = [_alteration(topic, settings) for topic in TOPICS if topic.name in existing]
    if altered:
        for change in admin.incremental_alter_configs(altered).values():
            change.result(_TIMEOUT_S)


def topic_config(topic: Topic, settings: Settings) -> dict[str, str]:
    """The topic's configuration on the broker."""
    config = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "retention.ms": str(topic.retention_ms),
        "min.insync.replicas": str(min(2, settings.replication_factor)),
    }
    if topic.purged_ms:
        config |= {
            "segment.ms": str(topic.purged_ms),  # the segment being written is never compacted
            "max.compaction.lag.ms": str(topic.purged_ms),
            "min.cleanable.dirty.ratio": "0.01",
        }
    return config


def _await_creation(created: Future[None]) -> None:
    try:
        created.result(_TIMEOUT_S)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another process was faster
            raise


def _alteration(topic: Topic, settings: Settings) -> ConfigResource:
    resource = ConfigResource(ResourceType.TOPIC, topic.name)
    for name, value in topic_config(topic, settings).items():
        resource.add_incremental_config(ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET))
    return resource

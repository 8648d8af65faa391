"""How far the read models are behind the log: in records that are committed and not yet folded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import httpx
from confluent_kafka import Consumer, TopicPartition

from topology.kafka import consumer_config
from topology.settings import Settings
from topology.topics import EVENT_TOPICS

_TIMEOUT_S = 5.0

Position = tuple[str, str, int]
"""Model, topic, partition."""


@dataclass(frozen=True, slots=True)
class Lag:
    """`offsets` counts what lies between the model and the log's end; `oldest` is when the first of it was written."""

    model: str
    topic: str
    partition: int
    offsets: int
    oldest: datetime

    def seconds(self, now: datetime) -> float:
        """The age of the oldest record that the model lacks."""
        return (now - self.oldest).total_seconds()


async def measure(settings: Settings) -> list[Lag]:
    """The partitions on which a model is behind. Raises OSError, PostgresError, HTTPError or KafkaException."""
    return compare(settings, await _postgres_positions(settings) | await _clickhouse_positions(settings))


def compare(settings: Settings, positions: Mapping[Position, int]) -> list[Lag]:
    """Models' next offsets against the log. Transaction markers at its end are nothing to fold and do not count."""
    consumer = Consumer(consumer_config(settings, "tally-lag") | {"log_level": 0})
    try:
        consumer.list_topics(timeout=_TIMEOUT_S)  # without metadata it knows no partition
        found = (_behind(consumer, position, next_offset) for position, next_offset in positions.items())
        return [lag for lag in found if lag is not None]
    finally:
        consumer.close()


def _behind(consumer: Consumer, position: Position, next_offset: int) -> Lag | None:
    model, topic, partition = position
    first, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_TIMEOUT_S)
    if max(first, next_offset) >= end:
        return None
    consumer.assign([TopicPartition(topic, partition, max(first, next_offset))])
    message = consumer.poll(_TIMEOUT_S)
    if message is None or message.error() is not None:
        return None
    oldest = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
    return Lag(model, topic, partition, end - next_offset, oldest)


async def _postgres_positions(settings: Settings) -> dict[Position, int]:
    connection = await asyncpg.connect(settings.postgres_dsn.get_secret_value(), timeout=_TIMEOUT_S)
    try:
        rows = await connection.fetch("SELECT projection, topic, partition, next_offset FROM tally.progress")
    finally:
        await connection.close()
    return {(f"postgres {row['projection']}", row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def _clickhouse_positions(settings: Settings) -> dict[Position, int]:
    positions = {
        ("clickhouse", topic.name, partition): 0 for topic in EVENT_TOPICS for partition in range(topic.partitions)
    }
    query = "SELECT topic, partition, next_offset FROM tally.progress"
    account = (settings.clickhouse_user, settings.clickhouse_password.get_secret_value())
    async with httpx.AsyncClient(auth=account, timeout=_TIMEOUT_S) as client:
        answer = (await client.post(settings.clickhouse_url, content=f"{query} FORMAT TSV")).raise_for_status()
    for line in answer.text.splitlines():
        topic, partition, next_offset = line.split("\t")
        positions["clickhouse", topic, int(partition)] = int(next_offset)
    return positions

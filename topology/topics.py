"""The topics: one table."""

from __future__ import annotations

from dataclasses import dataclass

PARTITIONS = 4
"""One count for all topics keyed by user or channel: deciders rely on co-partitioning (user id = channel id)."""

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FOREVER = -1


@dataclass(frozen=True, slots=True)
class Topic:
    """`retention_ms` -1 keeps forever. `partitioned_by` differs from the key where the partition follows the owner."""

    name: str
    key: str
    retention_ms: int
    partitions: int = PARTITIONS
    partitioned_by: str = ""
    compacted: bool = False
    purged_ms: int = 0
    """How soon a compacted topic lets go of what a later record replaces; 0 leaves it to the broker."""


AGGREGATES = ("accounts", "channels", "streams", "follows", "chat", "support")
"""Families with a decider: each has `commands.<name>` and `results.<name>`."""

EVENT_TOPICS = (
    Topic("accounts", "user_id", FOREVER),
    Topic("channels", "channel_id", FOREVER),
    Topic("streams", "stream_id", FOREVER, partitioned_by="channel_id"),
    Topic("stream-health", "stream_id", 30 * DAY_MS),
    Topic("follows", "channel_id", FOREVER),
    Topic("chat", "channel_id", FOREVER),
    Topic("lessons", "channel_id", FOREVER),
    Topic("support", "channel_id", FOREVER),
    Topic("playback", "stream_id", 90 * DAY_MS),
)

TOPICS = (
    *EVENT_TOPICS,
    *(Topic(f"commands.{name}", "aggregate id", 7 * DAY_MS) for name in AGGREGATES),
    *(Topic(f"results.{name}", "command_id", DAY_MS) for name in AGGREGATES),
    Topic("dead-letters", "source_topic", 90 * DAY_MS),
    Topic("_schemas", "registry key", FOREVER, partitions=1, compacted=True),
    Topic("subject-keys", "user id, or that and an offer", FOREVER, partitions=1, compacted=True, purged_ms=HOUR_MS),
)

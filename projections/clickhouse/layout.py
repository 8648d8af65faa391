"""The tables and views of the database `tally`: names and DDL.

A topic's events lie in a storage table per version, `_chat_v1764068462`; analysts query the view `chat` over the live
one. Storage is a ReplacingMergeTree keyed by aggregate and event id, read with FINAL: an event that was appended or
inserted twice counts once, at any time, whether or not the parts have been merged.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from projections.clickhouse.columns import columns_of
from schemas.catalog import events_of

DATABASE = "tally"

_DEDUPLICATION_WINDOW = 1000
"""Blocks whose insert tokens the server remembers per table: far more than one runner can have in doubt."""

_LIVE = re.compile(r"\(version (\d+), revision (\d+)\)$")


class Live(NamedTuple):
    """What a topic's view shows."""

    version: int
    revision: int


def view_of(topic: str) -> str:
    return re.sub("[^a-z]", "_", topic)


def storage_of(topic: str, version: int) -> str:
    return f"_{view_of(topic)}_v{version}"


def version_of(topic: str, table: str) -> int | None:
    """The version that a table stores; None where it is not this topic's storage."""
    found = re.fullmatch(rf"_{view_of(topic)}_v(\d+)", table)
    return int(found[1]) if found else None


def key_of(topic: str) -> str:
    """The column with the aggregate's id."""
    return next(events_of(topic)).key_field


def create_storage(database: str, topic: str, version: int) -> str:
    """Of two rows with one key the later offset survives, so the highest offset never leaves the table."""
    columns = ",\n  ".join(column.ddl for column in columns_of(topic))
    return (
        f"CREATE TABLE IF NOT EXISTS {database}.{storage_of(topic, version)} (\n  {columns}\n)\n"
        f"ENGINE = ReplacingMergeTree(_offset)\nORDER BY ({key_of(topic)}, event_id)\n"
        f"SETTINGS non_replicated_deduplication_window = {_DEDUPLICATION_WINDOW}"
    )


def create_view(database: str, topic: str, version: int, *, replace: bool, at: str = "") -> str:
    """Shows one version to analysts; replacing it is the switch, and its comment tells the writers. Rows of type '' are
    marks of progress, not events. `at` ends the name of a view as of a time.
    """
    create = "CREATE OR REPLACE VIEW" if replace else "CREATE VIEW IF NOT EXISTS"
    columns = columns_of(topic)
    return (
        f"{create} {database}.{view_of(topic)}{at} ({', '.join(column.ddl for column in columns)}) AS "
        f"SELECT {', '.join(column.name for column in columns)} "
        f"FROM {database}.{storage_of(topic, version)} FINAL WHERE type != '' "
        f"COMMENT 'Every event of the topic {topic}. (version {version}, revision {revision_of(topic)})'"
    )


def create_progress(database: str, live: Mapping[str, int]) -> str:
    """The view `progress`: the next offset of each partition, per topic, of the versions given."""
    parts = (
        f"SELECT '{topic}' AS topic, _partition AS partition, max(_offset) + 1 AS next_offset "
        f"FROM {database}.{storage_of(topic, version)} GROUP BY _partition"
        for topic, version in live.items()
    )
    return f"CREATE OR REPLACE VIEW {database}.progress AS {' UNION ALL '.join(parts)}"


def live_of(comment: str) -> Live | None:
    """What a view's comment says that it shows."""
    found = _LIVE.search(comment)
    return Live(int(found[1]), int(found[2])) if found else None


def revision_of(topic: str) -> int:
    """Changes by itself whenever the storage's definition does."""
    return zlib.crc32(create_storage("", topic, 0).encode())

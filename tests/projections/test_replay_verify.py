"""`verify` finds a single row changed, missing, or too many, in either store."""

from __future__ import annotations

from typing import Any

import pytest

from tests.projections.past import Past

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

POSTGRES, CLICKHOUSE = "postgres.stream-health", "clickhouse.stream-health"


@pytest.fixture
def healthy(world: Past) -> Past:
    made = world.replay("rebuild", POSTGRES, CLICKHOUSE)
    assert made.status == 0, made.errors
    return world


def drift(past: Past, model: str) -> dict[str, Any]:
    """The one table that differs."""
    ran = past.replay("verify", model, "--json")
    assert ran.status == 1, ran.errors
    assert ran.json["equal"] is False
    (table,) = (table for table in ran.json["models"][0]["tables"] if not table["equal"])
    found: dict[str, Any] = table
    return found


def schema(past: Past) -> str:
    (version,) = past.sql("SELECT version FROM rm.live WHERE projection = 'stream-health'")[0]
    return f"rm_stream_health_v{version}"


def test_a_changed_row_in_postgres(healthy: Past) -> None:
    table = f"{schema(healthy)}.health_samples"
    (event_id,) = healthy.sql(f"SELECT event_id FROM {table} ORDER BY event_id LIMIT 1")[0]
    healthy.sql(f"UPDATE {table} SET gop_ms = gop_ms + 1 WHERE event_id = $1", event_id)
    found = drift(healthy, POSTGRES)
    assert found["table"] == "health_samples"
    assert found["live"]["rows"] == found["replayed"]["rows"]
    assert event_id in found["only_live"][0]
    assert event_id in found["only_replayed"][0]


def test_a_missing_row_in_postgres(healthy: Past) -> None:
    table = f"{schema(healthy)}.health_changes"
    healthy.sql(f"DELETE FROM {table} WHERE event_id = (SELECT min(event_id) FROM {table})")
    found = drift(healthy, POSTGRES)
    assert found["live"]["rows"] == found["replayed"]["rows"] - 1
    assert len(found["only_replayed"]) == 1


def test_a_doubled_row_in_postgres(healthy: Past) -> None:
    table = f"{schema(healthy)}.health_samples"
    healthy.sql(f"ALTER TABLE {table} DROP CONSTRAINT health_samples_pkey")
    healthy.sql(f"INSERT INTO {table} SELECT * FROM {table} ORDER BY event_id LIMIT 1")
    found = drift(healthy, POSTGRES)
    assert found["live"]["rows"] == found["replayed"]["rows"] + 1
    assert len(found["only_live"]) == 1


def test_two_rows_that_swapped_a_value_in_postgres(healthy: Past) -> None:
    """Sums over columns would not see it."""
    table = f"{schema(healthy)}.health_samples"
    rows = healthy.sql(f"SELECT event_id, drift_ms FROM {table} ORDER BY event_id LIMIT 50")
    one = rows[0]
    other = next(row for row in rows if row[1] != one[1])
    healthy.sql(f"UPDATE {table} SET drift_ms = $2 WHERE event_id = $1", one[0], other[1])
    healthy.sql(f"UPDATE {table} SET drift_ms = $2 WHERE event_id = $1", other[0], one[1])
    assert len(drift(healthy, POSTGRES)["only_live"]) == 2


def test_a_changed_row_in_clickhouse(healthy: Past) -> None:
    storage = healthy.storage("stream-health")
    (event_id,) = healthy.clickhouse("SELECT min(event_id) FROM tally.stream_health")[0]
    healthy.clickhouse_command(
        f"ALTER TABLE {storage} UPDATE status = 'perfect' WHERE event_id = '{event_id}' SETTINGS mutations_sync = 1"
    )
    found = drift(healthy, CLICKHOUSE)
    assert event_id in found["only_live"][0]
    assert event_id in found["only_replayed"][0]


def test_a_missing_row_in_clickhouse(healthy: Past) -> None:
    (event_id,) = healthy.clickhouse("SELECT min(event_id) FROM tally.stream_health")[0]
    storage = healthy.storage("stream-health")
    healthy.clickhouse_command(
        f"ALTER TABLE {storage} DELETE WHERE event_id = '{event_id}' SETTINGS mutations_sync = 1"
    )
    found = drift(healthy, CLICKHOUSE)
    assert found["live"]["rows"] == found["replayed"]["rows"] - 1


def test_a_row_too_many_in_clickhouse(healthy: Past) -> None:
    storage = healthy.storage("stream-health")
    healthy.clickhouse_command(
        f"INSERT INTO {storage} SELECT * REPLACE ('forged' AS event_id) FROM {storage} WHERE type != '' LIMIT 1"
    )
    assert "forged" in drift(healthy, CLICKHOUSE)["only_live"][0]


def test_a_row_inserted_twice_in_clickhouse_is_no_drift(healthy: Past) -> None:
    storage = healthy.storage("stream-health")
    healthy.clickhouse_command(f"INSERT INTO {storage} SELECT * FROM {storage} WHERE type != '' LIMIT 10")
    assert healthy.replay("verify", CLICKHOUSE).status == 0


def test_a_rebuild_heals(healthy: Past) -> None:
    healthy.sql(f"DELETE FROM {schema(healthy)}.health_samples")
    assert healthy.replay("verify", POSTGRES).status == 1
    assert healthy.replay("rebuild", POSTGRES).status == 0
    assert healthy.replay("verify", POSTGRES).status == 0


def test_examples_show_no_secret(world: Past) -> None:
    assert world.replay("rebuild", "postgres.accounts").status == 0
    (version,) = world.sql("SELECT version FROM rm.live WHERE projection = 'accounts'")[0]
    table = f"rm_accounts_v{version}.sessions"
    (token_hash,) = world.sql(f"SELECT token_hash FROM {table} ORDER BY session_id LIMIT 1")[0]
    world.sql(f"UPDATE {table} SET user_id = 'nobody' WHERE token_hash = $1", token_hash)
    ran = world.replay("verify", "postgres.accounts", "--json")
    assert "nobody" in ran.said
    assert token_hash not in ran.said


def test_comparing_leaves_nothing_behind(healthy: Past) -> None:
    def versions() -> list[tuple[Any, ...]]:
        return healthy.sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rm_stream_health_v%' ORDER BY 1")

    before = versions()
    assert healthy.replay("verify", POSTGRES, CLICKHOUSE).status == 0
    assert versions() == before
    assert healthy.sql("SELECT count(*) FROM rm.leases") == [(0,)]

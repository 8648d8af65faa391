"""What retention took from a topic cannot be compared; what is left is, and the verdict says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from tests.projections.past import Past, past
from topology.kafka import client_config

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

MODELS = ("postgres.stream-health", "clickhouse.stream-health", "postgres.playback", "clickhouse.playback")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saved") / "before.json"


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory, saved: Path) -> Iterator[Past]:
    """Models built from all events, of which the topics have since lost the first half."""
    with past(tmp_path_factory.mktemp("expired"), events=3_000) as made:
        assert made.replay("rebuild", *MODELS).status == 0
        assert made.replay("verify", *MODELS, "--save", str(saved)).status == 0
        lose_half(made, "stream-health")
        lose_half(made, "playback")
        yield made


def lose_half(made: Past, topic: str) -> None:
    ends = made.clickhouse(f"SELECT partition, next_offset FROM tally.progress WHERE topic = '{topic}'")
    admin = AdminClient(client_config(made.settings))
    halves = [TopicPartition(topic, partition, end // 2) for partition, end in ends]
    for lost in admin.delete_records(halves).values():
        lost.result(30)


@pytest.mark.parametrize("model", MODELS)
def test_the_rest_is_equal(expired: Past, model: str) -> None:
    proof = expired.replay("verify", model, "--json")
    assert proof.status == 0, proof.said
    (found,) = proof.json["models"]
    assert found["events_expired"] > 0
    (first, *_) = found["tables"]
    assert first["live"]["rows"] > 0
    if model.startswith("clickhouse"):
        view = model.partition(".")[2].replace("-", "_")
        assert first["live"]["rows"] < expired.clickhouse(f"SELECT count() FROM tally.{view}")[0][0]
    else:
        table = first["table"]
        assert first["live"]["rows"] < expired.sql(f"SELECT count(*) FROM tally.{table}")[0][0]


def test_drift_in_the_rest_is_found(expired: Past) -> None:
    (version,) = expired.sql("SELECT version FROM rm.live WHERE projection = 'stream-health'")[0]
    table = f"rm_stream_health_v{version}.health_samples"
    expired.sql(f"DELETE FROM {table} WHERE sampled_at = (SELECT max(sampled_at) FROM {table})")
    assert expired.replay("verify", "postgres.stream-health").status == 1


def test_a_state_that_expired_cannot_be_proved(expired: Past, saved: Path) -> None:
    expired.sql("DELETE FROM rm.builds")
    assert expired.replay("rebuild", "clickhouse.playback").status == 0
    proof = expired.replay("verify", "clickhouse.playback", "--against", str(saved))
    assert proof.status == 1


def test_status_tells_what_a_rebuild_would_lose(expired: Past) -> None:
    (standing,) = expired.replay("status", "postgres.playback", "--json").json["models"]
    assert standing["expired"] > 0
    assert standing["behind"] == 0

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from topology.kafka import client_config, producer_config
from topology.lag import Lag, compare
from topology.settings import Settings

TOPIC = "lag-test"


@pytest.fixture(scope="module")
def written(kafka: Settings) -> Settings:
    """A topic with two committed records, an aborted one, and the transactions' markers: offsets 0 to 4."""
    admin = AdminClient(client_config(kafka))
    admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(10)
    producer = Producer(producer_config(kafka) | {"transactional.id": TOPIC})
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(TOPIC, b"first")
    producer.produce(TOPIC, b"second")
    producer.commit_transaction()
    producer.begin_transaction()
    producer.produce(TOPIC, b"never")
    producer.flush()
    producer.abort_transaction()
    return kafka


@pytest.mark.stack
def test_a_model_that_has_folded_every_committed_record_is_not_behind(written: Settings) -> None:
    assert compare(written, {("model", TOPIC, 0): 2}) == []


@pytest.mark.stack
def test_a_model_that_lacks_a_record_is_behind_since_it_was_written(written: Settings) -> None:
    (lag,) = compare(written, {("model", TOPIC, 0): 1})
    assert (lag.model, lag.topic, lag.partition, lag.offsets) == ("model", TOPIC, 0, 4)
    assert timedelta() <= datetime.now(UTC) - lag.oldest < timedelta(hours=1)


def test_a_lag_is_as_old_as_the_first_record_that_is_missing() -> None:
    oldest = datetime(2026, 1, 1, tzinfo=UTC)
    assert Lag("model", TOPIC, 0, 3, oldest).seconds(oldest + timedelta(seconds=90)) == 90.0

"""What the broker acknowledged outlives a kill -9 of the broker."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.engines import broker_answers, free_ports, running
from topology.embedded.kafka import KafkaBroker
from topology.kafka import client_config, consumer_config, producer_config
from topology.settings import Settings

pytestmark = [pytest.mark.stack, pytest.mark.faults]

KILLS = 3
RECORDS = 500


def test_acknowledged_records_outlive_kills(tmp_path: Path) -> None:
    port, controller_port = free_ports(2)
    settings = Settings(data_dir=tmp_path, kafka_bootstrap=f"127.0.0.1:{port}")
    broker = KafkaBroker(tmp_path / "kafka", settings.cache_dir, port, controller_port)
    acknowledged: list[bytes] = []
    for life in range(KILLS):
        with running(broker.prepare(), tmp_path / "kafka.log", lambda: broker_answers(settings)) as process:
            if life == 0:
                admin = AdminClient(client_config(settings))
                admin.create_topics([NewTopic("facts", 1, 1)])["facts"].result(10)
            acknowledged += _write(settings, life)
            process.send_signal(signal.SIGKILL)
            process.wait()
    with running(broker.prepare(), tmp_path / "kafka.log", lambda: broker_answers(settings)):
        assert _read(settings, len(acknowledged)) == acknowledged
    assert len(acknowledged) == KILLS * RECORDS


def _write(settings: Settings, life: int) -> list[bytes]:
    """Write records and wait until each is acknowledged."""
    acknowledged: list[bytes] = []

    def note(error: KafkaError | None, message: Message) -> None:
        if error is None:
            acknowledged.append(message.value() or b"")

    producer = Producer(producer_config(settings))
    for number in range(RECORDS):
        producer.produce("facts", f"{life}-{number}".encode(), on_delivery=note)
    assert producer.flush(30) == 0
    return acknowledged


def _read(settings: Settings, count: int) -> list[bytes]:
    consumer = Consumer(consumer_config(settings, "reader"))
    consumer.assign([TopicPartition("facts", 0, 0)])
    try:
        return [message.value() or b"" for message in consumer.consume(count, timeout=30)]
    finally:
        consumer.close()

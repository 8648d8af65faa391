"""A writer whose Kafka does not come back says so, so that its decider starts over instead of waiting for ever."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, KafkaException

from commands import writer as writing
from commands.outage import Outage
from commands.writer import PlainWriter, Record
from topology.kafka import consumer_config
from topology.settings import Settings


@pytest.fixture
def nobody() -> Iterator[Settings]:
    """Settings that lead to a port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        yield Settings(kafka_bootstrap=f"127.0.0.1:{mute.getsockname()[1]}")


def test_records_that_kafka_never_takes_are_given_up(nobody: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "CALL_TIMEOUT_S", 0.5)
    consumer = Consumer(consumer_config(nobody, "nobody"))
    try:
        with pytest.raises(KafkaException):
            writer = PlainWriter(nobody, consumer, Outage(), threading.Event())
            writer.append([Record("chat", "a channel", b"hello")])
    finally:
        consumer.close()

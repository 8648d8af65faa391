"""Whether Kafka went away while a decider was at work."""

from __future__ import annotations

import threading

from confluent_kafka import KafkaError, KafkaException


class Outage:
    """Shared by the clients of one membership. Those that have seen Kafka go may never get over it; new ones do."""

    def __init__(self) -> None:
        self._seen = threading.Event()

    def notice(self, error: KafkaError) -> None:
        """A client's `error_cb`."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._seen.set()

    def forget(self) -> None:
        """What was seen so far concerns nobody."""
        self._seen.clear()

    def check(self) -> None:
        """Raises KafkaException when Kafka went away."""
        if self._seen.is_set():
            raise KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN))

"""How every client reaches Kafka: one place for addresses, security, durability and isolation."""

from __future__ import annotations

import ssl
from typing import Any

from topology.settings import Settings

IDLE_FETCH_MS = 5_000
"""Longest that a fetch waits on idle topics. What is appended comes at once; each fetch in vain costs CPU."""


def client_config(settings: Settings) -> dict[str, Any]:
    """librdkafka options that every confluent-kafka client shares."""
    return {
        "bootstrap.servers": settings.kafka_bootstrap,
        # By default 10 s, which a request also waits whose connection was merely closed for being idle.
        "reconnect.backoff.max.ms": 250,
        **settings.kafka_security(),
    }


def producer_config(settings: Settings) -> dict[str, Any]:
    """An idempotent, acks=all producer whose partitioner agrees with the Java clients' and aiokafka's (murmur2)."""
    return client_config(settings) | {
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": "murmur2_random",
        "linger.ms": 0,
    }


def consumer_config(settings: Settings, group: str) -> dict[str, Any]:
    """A reader of committed records that keeps its own progress: nothing is committed behind its back."""
    return client_config(settings) | {
        "group.id": group,
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    }


def record_bytes(raw: str | bytes | None) -> bytes:
    """A record's key or value as it is on the wire, whichever way confluent-kafka's types have it."""
    return raw.encode() if isinstance(raw, str) else raw or b""


def aiokafka_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments that every aiokafka client shares."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = ssl.create_default_context()
    if settings.kafka_security_protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return options

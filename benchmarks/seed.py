"""Fill the topics with a made-up past: `python -m benchmarks.seed 2000000`."""

from __future__ import annotations

import io
import json
import struct
import sys
import time
from collections import Counter
from contextlib import closing
from typing import Any

import fastavro
from aiokafka.partitioner import murmur2
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from benchmarks.world import World
from schemas.avro import schema_of
from schemas.message import Event
from topology.kafka import producer_config
from topology.settings import Settings
from topology.topics import PARTITIONS

DEFAULT_SEED = 20_261_125


class Encoder:
    """Wire bytes of plain values, without building a model for each."""

    def __init__(self, registry_url: str) -> None:
        self._registry = SchemaRegistryClient({"url": registry_url})
        self._writers: dict[type[Event], tuple[bytes, Any]] = {}

    def close(self) -> None:
        self._registry.close()

    def encode(self, type_: type[Event], fields: dict[str, Any]) -> bytes:
        header, schema = self._writers.get(type_) or self._writer(type_)
        body = io.BytesIO()
        body.write(header)
        fastavro.schemaless_writer(body, schema, fields)
        return body.getvalue()

    def _writer(self, type_: type[Event]) -> tuple[bytes, Any]:
        schema = schema_of(type_)
        schema_id = self._registry.register_schema(type_.subject(), Schema(json.dumps(schema), "AVRO"))
        made = self._writers[type_] = (struct.pack(">bI", 0, schema_id), fastavro.parse_schema(schema))
        return made


def partition_of(channel: str) -> int:
    """Where every event of a channel stands, as the deciders and the Java clients place it."""
    return int((murmur2(channel.encode()) & 0x7FFFFFFF) % PARTITIONS)


def fill(settings: Settings, events: int, seed: int = DEFAULT_SEED) -> dict[str, int]:
    """Append `events` events and return how many went to each topic. Raises RuntimeError when one was not delivered."""
    failures: list[KafkaError] = []
    producer = Producer(
        producer_config(settings)
        | {"linger.ms": 20, "batch.num.messages": 10_000, "queue.buffering.max.messages": 200_000}
    )

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error)

    counts: Counter[str] = Counter()
    with closing(Encoder(settings.schema_registry_url)) as encoder:
        for type_, channel, fields in World(events, seed).happenings():
            value = encoder.encode(type_, fields)
            key = fields[type_.key_field].encode()
            while True:
                try:
                    producer.produce(type_.topic, value, key, partition_of(channel), on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(0.1)
            counts[type_.topic] += 1
            if not counts.total() % 1000:
                producer.poll(0)
        producer.flush()
    if failures:
        raise RuntimeError(f"{len(failures)} events were not delivered, first: {failures[0]}")
    return dict(counts)


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    started = time.perf_counter()
    counts = fill(Settings(), events)
    print(f"{events} events in {time.perf_counter() - started:.1f} s: {counts}")


if __name__ == "__main__":
    main()

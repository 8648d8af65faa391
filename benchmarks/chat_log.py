"""What the log says of a chat, and what those who were told differently missed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from schemas.wire import Codec
from topology.kafka import client_config, consumer_config
from topology.settings import Settings
from topology.subject_keys.keyring import open_keyring
from topology.topics import PARTITIONS

TIMEOUT_S = 30.0


class Said(NamedTuple):
    """A message's event. Unix times: of the command, as the chat process made it; of the event, as it was appended."""

    event_id: str
    room: str
    id: str
    text: str
    command_at: float
    event_at: float


class Faults(NamedTuple):
    """Of one room as one client was told it."""

    lost: int = 0
    twice: int = 0
    unknown: int = 0
    """Told, but in no log."""
    out_of_order: int = 0
    """Told after one that comes later in the log."""


def faults_of(heard: Sequence[str], logged: Sequence[str]) -> Faults:
    """Message ids as a client was told them, beside those of the log."""
    place = {message_id: number for number, message_id in enumerate(logged)}
    first = list(dict.fromkeys(heard))
    places = [place[message_id] for message_id in first if message_id in place]
    latest = -1
    out_of_order = 0
    for each in places:
        out_of_order += each < latest
        latest = max(latest, each)
    return Faults(
        lost=len(place.keys() - set(heard)),
        twice=len(heard) - len(first),
        unknown=len(first) - len(places),
        out_of_order=out_of_order,
    )


def chat_ends(settings: Settings) -> list[int]:
    """Where each partition of the topic ends now."""
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    asked = {TopicPartition("chat", number): latest for number in range(PARTITIONS)}
    admin = AdminClient(client_config(settings))  # held: one that is collected never answers
    answers = admin.list_offsets(asked, request_timeout=TIMEOUT_S)
    return [answers[place].result(TIMEOUT_S).offset for place in asked]


def said_between(settings: Settings, starts: Sequence[int], ends: Sequence[int]) -> tuple[list[Said], int]:
    """The messages of the spans, each event once and in order within a room; and how often one was repeated.

    Raises RuntimeError.
    """
    messages: dict[str, Said] = {}
    repeated = 0
    with closing(Codec(settings.schema_registry_url, open_keyring(settings))) as codec:
        for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
            for said in _read(settings, codec, TopicPartition("chat", number, start), end):
                repeated += said.event_id in messages
                messages.setdefault(said.event_id, said)
    return list(messages.values()), repeated


def _read(settings: Settings, codec: Codec, start: TopicPartition, end: int) -> Iterator[Said]:
    consumer = Consumer(consumer_config(settings, "tally.benchmarks"))
    deadline = time.monotonic() + TIMEOUT_S
    try:
        consumer.assign([start])
        position = start.offset
        while position < end:
            for record in consumer.consume(5_000, 0.1):
                offset = record.offset()
                if record.error() is not None or offset is None or offset >= end:
                    continue
                position = offset + 1
                decoded = codec.decode(record.value())
                if decoded.type == "MessageSent":
                    fields = decoded.fields
                    yield Said(
                        event_id=fields["event_id"],
                        room=fields["channel_id"],
                        id=fields["message_id"],
                        text=fields["text"],
                        command_at=fields["occurred_at"].timestamp(),
                        event_at=record.timestamp()[1] / 1000,
                    )
            if time.monotonic() > deadline:
                raise RuntimeError("the topic `chat` could not be read to its end")
    finally:
        consumer.close()

"""Wire bytes through a real registry, both ways and against Confluent's own serializers."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from schemas.avro import schema_of
from schemas.catalog import BY_FULL_NAME
from schemas.events.chat import MessageSent
from schemas.message import Message
from schemas.wire import Codec, WireError
from tests.schemas.records import messages
from topology.settings import Settings

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def codec(registry: Settings) -> Iterator[Codec]:
    made = Codec(registry.schema_registry_url)
    made.register_all()
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(registry: Settings) -> Iterator[SchemaRegistryClient]:
    made = SchemaRegistryClient({"url": registry.schema_registry_url})
    yield made
    made.close()


SAID = MessageSent(
    event_id="e",
    type="MessageSent",
    occurred_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    actor="1",
    correlation_id="c",
    channel_id="2",
    message_id="m",
    sender_id="1",
    sender_login="someone",
    text="hello ☃",
)


@pytest.mark.parametrize("model", BY_FULL_NAME.values(), ids=BY_FULL_NAME)
def test_every_record_type_comes_back_as_it_was(codec: Codec, model: type[Message]) -> None:
    @given(messages(model))
    @hypothesis_settings(max_examples=25, deadline=None)
    def round_trip(message: Message) -> None:
        decoded = codec.decode(codec.encode(message))
        assert decoded == (model.full_name(), model.__name__, message.model_dump())

    round_trip()


def test_confluents_deserializer_reads_ours(codec: Codec, client: SchemaRegistryClient) -> None:
    context = SerializationContext(SAID.topic, MessageField.VALUE)
    assert AvroDeserializer(client)(codec.encode(SAID), context) == SAID.model_dump()


def test_we_read_confluents_serializer(codec: Codec, client: SchemaRegistryClient) -> None:
    serializer = AvroSerializer(
        client,
        json.dumps(schema_of(MessageSent)),
        conf={"subject.name.strategy": topic_record_subject_name_strategy},
    )
    wire = serializer(SAID.model_dump(), SerializationContext(SAID.topic, MessageField.VALUE))
    assert wire is not None
    assert codec.decode(wire).fields == SAID.model_dump()


def test_an_earlier_version_is_read_as_todays(codec: Codec, client: SchemaRegistryClient) -> None:
    schema = schema_of(MessageSent)
    kept = [field for field in schema["fields"] if field["name"] != "reply_parent_id"]
    earlier = schema | {"fields": [*kept, {"name": "mood", "type": "string", "default": "calm"}]}
    serializer = AvroSerializer(
        client, json.dumps(earlier), conf={"subject.name.strategy": topic_record_subject_name_strategy}
    )
    written = SAID.model_dump() | {"mood": "wild"}
    wire = serializer(written, SerializationContext(SAID.topic, MessageField.VALUE))
    assert codec.decode(wire).fields == SAID.model_dump()


def test_threads_may_share_a_codec(registry: Settings) -> None:
    shared = Codec(registry.schema_registry_url)
    try:
        with ThreadPoolExecutor(8) as threads:
            decoded = list(threads.map(lambda _: shared.decode(shared.encode(SAID)).fields, range(200)))
    finally:
        shared.close()
    assert decoded == [SAID.model_dump()] * 200


def test_bytes_that_are_no_record_are_poison_and_say_why(codec: Codec) -> None:
    good = codec.encode(SAID)
    for value, reason in (
        (None, "null"),
        (b"", "header"),
        (b"\x00\x00\x00\x01", "header"),
        (b"\x01" + good[1:], "magic byte is 1"),
        (b"\x00" + struct.pack(">I", 2_000_000_000) + good[5:], "not in the registry"),
        (good[:-1], "not a tally.chat.MessageSent"),
        (good + b"!", "1 bytes after the end"),
        (good[:5] + b"\xff" * 12, "not a tally.chat.MessageSent"),
    ):
        with pytest.raises(WireError, match=reason):
            codec.decode(value)


@given(body=st.binary(max_size=200))
@hypothesis_settings(max_examples=200, deadline=None)
def test_any_bytes_after_a_good_header_decode_or_are_poison(codec: Codec, body: bytes) -> None:
    header = codec.encode(SAID)[:5]
    with suppress(WireError):
        codec.decode(header + body)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            '{"type":"record","name":"Other","namespace":"elsewhere","fields":[]}',
            "elsewhere.Other is not a record type",
        ),
        ('"string"', "not a record type"),
        ('["null","string"]', "not a record type"),
    ],
)
def test_a_schema_of_somebody_else_is_poison(
    codec: Codec, client: SchemaRegistryClient, text: str, reason: str
) -> None:
    schema_id = client.register_schema(f"other-{uuid4()}", Schema(text, "AVRO"))
    with pytest.raises(WireError, match=reason):
        codec.decode(struct.pack(">bI", 0, schema_id))


def test_an_outage_of_the_registry_is_nobodys_poison() -> None:
    away = Codec("http://127.0.0.1:1")
    try:
        with pytest.raises(Exception) as raised:  # whatever the client's transport says
            away.decode(struct.pack(">bI", 0, 1) + b"x")
    finally:
        away.close()
    assert not isinstance(raised.value, WireError)

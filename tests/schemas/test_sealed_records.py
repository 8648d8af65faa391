"""Personal texts on the wire, through a real registry: sealed for who has no keys, poison where they were changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from schemas.sealing import MARK
from schemas.wire import Codec, WireError
from tests.schemas.test_sealing import SAID, Keys
from topology.settings import Settings

pytestmark = pytest.mark.stack


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def codec(registry: Settings, keys: Keys) -> Iterator[Codec]:
    with closing(Codec(registry.schema_registry_url, keys)) as made:
        yield made


@pytest.fixture
def keyless(registry: Settings) -> Iterator[Codec]:
    with closing(Codec(registry.schema_registry_url)) as made:
        yield made


def test_who_has_the_keys_reads_what_was_said_and_who_has_none_does_not(codec: Codec, keyless: Codec) -> None:
    value = codec.encode(SAID)
    assert SAID.text.encode() not in value
    assert codec.decode(value).fields["text"] == SAID.text
    for name in ("text", "sender_login"):
        assert keyless.decode(value).fields[name].startswith(MARK)


def test_without_a_keyring_texts_go_out_and_come_in_as_they_are(codec: Codec, keyless: Codec) -> None:
    value = keyless.encode(SAID)
    assert SAID.text.encode() in value
    assert keyless.decode(value).fields["text"] == SAID.text
    assert codec.decode(value).fields["text"] == SAID.text, "a text from before sealing"


def test_confluents_deserializer_sees_sealed_texts(codec: Codec, registry: Settings) -> None:
    value = codec.encode(SAID)
    with closing(SchemaRegistryClient({"url": registry.schema_registry_url})) as client:
        read = AvroDeserializer(client)(value, SerializationContext(SAID.topic, MessageField.VALUE))
    assert isinstance(read, dict)
    assert read["text"].startswith(MARK)
    assert read["sender_id"] == SAID.sender_id


def test_a_sealed_text_that_was_changed_is_poison(codec: Codec) -> None:
    value = codec.encode(SAID)
    place = value.index(MARK.encode()) + len(MARK) + 8
    changed = value[:place] + (b"A" if value[place : place + 1] != b"A" else b"B") + value[place + 1 :]
    with pytest.raises(WireError, match="is sealed"):
        codec.decode(changed)


def test_of_an_erased_user_nothing_is_read_and_nothing_written(codec: Codec, keyless: Codec, keys: Keys) -> None:
    before = codec.encode(SAID)
    keys.erased.add(SAID.sender_id)
    assert codec.decode(before).fields["text"] == ""
    assert keyless.decode(codec.encode(SAID)).fields["text"] == ""

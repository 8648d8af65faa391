"""Personal texts under their subjects' keys."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from schemas.avro import schema_of
from schemas.catalog import BY_FULL_NAME
from schemas.events.chat import MessageSent
from schemas.message import Message
from schemas.sealing import KEY_BYTES, MARK, Personal, SealBroken, personal_of
from tests.schemas.records import messages
from topology.topics import FOREVER, TOPICS

MODELS = pytest.mark.parametrize("model", BY_FULL_NAME.values(), ids=BY_FULL_NAME)
SEALED_MODELS = [model for model in BY_FULL_NAME.values() if personal_of(model)]


@dataclass
class Keys:
    """A keyring in memory."""

    of: dict[str, AESSIV] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)

    def writing(self, subject: str) -> AESSIV | None:
        if subject in self.erased:
            return None
        return self.of.setdefault(subject, AESSIV(os.urandom(KEY_BYTES)))

    def is_erased(self, subject: str) -> bool:
        return subject in self.erased

    def knows(self, subject: str) -> bool:
        return subject in self.erased or subject in self.of

    def close(self) -> None:
        pass

    def reading(self, subject: str) -> AESSIV | None:
        return None if subject in self.erased else self.of.get(subject)


SAID = MessageSent(
    event_id="e",
    type="MessageSent",
    occurred_at=datetime(2026, 1, 2, tzinfo=UTC),
    actor="1",
    correlation_id="c",
    channel_id="2",
    message_id="m",
    sender_id="1",
    sender_login="someone",
    text="hello ☃",
)


def personal(model: type[Message] = MessageSent) -> Personal:
    found = personal_of(model)
    assert found
    return found


def sealed(keys: Keys, message: Message = SAID) -> dict[str, Any]:
    values = message.model_dump()
    personal(type(message)).seal(values, keys)
    return values


@MODELS
def test_every_personal_text_names_its_subject(model: type[Message]) -> None:
    names = {one["name"]: one["type"] for one in schema_of(model)["fields"]}
    for one in schema_of(model)["fields"]:
        mark = one.get("personal")
        if mark is True:  # of nobody known: only expiry takes it away
            topic = next(topic for topic in TOPICS if topic.name == model.topic)
            assert one["type"] == "bytes"
            assert topic.retention_ms != FOREVER
        elif mark is not None:
            assert one["type"] == "string"
            assert names[mark] == "string", "the subject must be a user id that is always there"


@pytest.mark.parametrize("model", SEALED_MODELS, ids=lambda model: model.full_name())
def test_sealed_and_opened_is_as_it_was(model: type[Message]) -> None:
    @given(messages(model))
    @hypothesis_settings(max_examples=25, deadline=None)
    def round_trip(message: Message) -> None:
        keys = Keys()
        values = sealed(keys, message)
        for name, _ in personal(model).fields:
            assert not getattr(message, name) or values[name].startswith(MARK)
        personal(model).open(values, keys)
        assert values == message.model_dump()

    round_trip()


def test_sealing_again_gives_the_same_bytes() -> None:
    keys = Keys()
    assert sealed(keys) == sealed(keys)


@given(st.text(min_size=1))
def test_a_sealed_text_is_a_third_and_at_most_28_bytes_longer(text: str) -> None:
    said = len(text.encode())
    grown = len(sealed(Keys(), SAID.model_copy(update={"text": text}))["text"].encode()) - said
    assert said / 3 < grown <= said / 3 + 28


def test_one_text_in_two_records_is_not_seen_to_be_one() -> None:
    keys = Keys()
    again = sealed(keys, SAID.model_copy(update={"event_id": "f"}))
    assert again["text"] != sealed(keys)["text"]


def test_what_is_not_personal_stays_readable() -> None:
    values = sealed(Keys())
    assert values["sender_id"] == "1"
    assert values["sender_name"] == "", "an empty text tells nothing, and stays empty"


def test_texts_from_before_read_as_they_are() -> None:
    values = SAID.model_dump()
    personal().open(values, Keys())
    assert values == SAID.model_dump()


@given(st.text(min_size=1))
def test_a_text_that_looks_sealed_comes_back_as_it_was(text: str) -> None:
    keys = Keys()
    values = sealed(keys, SAID.model_copy(update={"text": MARK + text}))
    personal().open(values, keys)
    assert values["text"] == MARK + text


@pytest.mark.parametrize(
    "change",
    [
        {"event_id": "other"},
        {"sender_id": "9"},
        {"text": MARK + "AAAA"},
        {"text": MARK + "not base64 at all"},
        {"text": MARK},
    ],
    ids=["moved to another record", "said to be another's", "too short", "no base64", "nothing"],
)
def test_a_changed_text_is_not_opened(change: dict[str, str]) -> None:
    keys = Keys()
    keys.writing("9")
    values = sealed(keys) | change
    with pytest.raises(SealBroken):
        personal().open(values, keys)


def test_a_text_in_anothers_field_is_not_opened() -> None:
    keys = Keys()
    values = sealed(keys)
    values["text"] = values["sender_login"]
    with pytest.raises(SealBroken, match="text is sealed"):
        personal().open(values, keys)


def test_an_erased_users_texts_read_empty_and_are_not_written() -> None:
    keys = Keys()
    values = sealed(keys)
    keys.erased.add("1")
    personal().open(values, keys)
    assert (values["text"], values["sender_login"]) == ("", "")
    assert sealed(keys)["text"] == ""


def test_an_erased_users_texts_from_before_sealing_read_empty() -> None:
    values = SAID.model_dump()
    personal().open(values, Keys(erased={"1"}))
    assert values["text"] == ""


def test_a_record_of_one_whose_key_is_gone_reads_empty() -> None:
    values = sealed(Keys())
    personal().open(values, Keys())
    assert values["text"] == ""


def test_a_records_subjects_are_those_with_texts() -> None:
    assert personal().subjects(SAID.model_dump()) == {"1"}
    silent = SAID.model_copy(update={"sender_login": "", "text": ""})
    assert personal().subjects(silent.model_dump()) == set()

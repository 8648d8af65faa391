"""The committed `.avsc` files say what the models say."""

from __future__ import annotations

import json

import pytest

from schemas.avro import AVSC_DIR, avsc_path, schema_of
from schemas.catalog import BY_FULL_NAME, EVENTS
from schemas.message import Message

MODELS = pytest.mark.parametrize("model", BY_FULL_NAME.values(), ids=BY_FULL_NAME)


@MODELS
def test_the_committed_schema_is_the_models(model: type[Message]) -> None:
    assert json.loads(avsc_path(model).read_text()) == schema_of(model), "run: python -m schemas.avro"


def test_no_schema_is_left_over_from_a_model_that_is_gone() -> None:
    assert {path.stem for path in AVSC_DIR.glob("*.avsc")} == set(BY_FULL_NAME), "remove the file, or restore its model"


@MODELS
def test_every_record_says_what_it_is_and_has_its_key(model: type[Message]) -> None:
    schema = schema_of(model)
    assert schema["doc"].strip()
    assert model.key_field in {field["name"] for field in schema["fields"]}


@MODELS
def test_personal_and_secret_marks_reach_the_schema(model: type[Message]) -> None:
    for field in schema_of(model)["fields"]:
        extra = model.model_fields[field["name"]].json_schema_extra
        marks = extra if isinstance(extra, dict) else {}
        assert {mark: field[mark] for mark in ("personal", "secret") if mark in field} == marks


def test_what_people_write_and_what_must_stay_hidden_is_marked() -> None:
    marked = {
        (model.__name__, field["name"]): mark
        for model in EVENTS
        for field in schema_of(model)["fields"]
        for mark in ("personal", "secret")
        if field.get(mark)
    }
    for place in (("UserRegistered", "login"), ("MessageSent", "text"), ("DonationReceived", "message")):
        assert marked[place] == "personal"
    for place in (
        ("UserRegistered", "password_hash"),
        ("StreamKeyIssued", "key_hash"),
        ("SessionIssued", "token_hash"),
    ):
        assert marked[place] == "secret"

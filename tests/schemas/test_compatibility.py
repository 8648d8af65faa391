"""Avro's resolution rules, with the field at fault named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.compatibility import (
    MAX_SCHEMA_CHARS,
    InvalidSchemaError,
    canonical,
    parse_schema,
    why_incompatible,
    why_unreadable,
)


def record(*fields: dict[str, Any], name: str = "R") -> str:
    return json.dumps({"type": "record", "name": name, "fields": list(fields)})


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


INNER = {"type": "record", "name": "Inner", "fields": [field("deep", "string")]}
INNER_INT = {"type": "record", "name": "Inner", "fields": [field("deep", "int")]}


@pytest.mark.parametrize(
    ("reader", "writer"),
    [
        (record(field("a", "long")), record(field("a", "int"))),
        (record(field("a", "double")), record(field("a", "long"))),
        (record(field("a", "string")), record(field("a", "bytes"))),
        (record(field("a", ["null", "string"])), record(field("a", "string"))),
        (record(field("a", "int", default=0)), record()),
        (record(), record(field("a", "int"))),
        (record(field("b", "int", aliases=["a"])), record(field("a", "int"))),
        (record(field("a", {"type": "array", "items": "long"})), record(field("a", {"type": "array", "items": "int"}))),
    ],
)
def test_readable(reader: str, writer: str) -> None:
    assert why_unreadable(reader, writer) is None


@pytest.mark.parametrize(
    ("reader", "writer", "named"),
    [
        (record(field("a", "int")), record(field("a", "long")), "field 'a'"),
        (record(field("a", "int")), record(), "field 'a'"),
        (record(field("x", "int"), field("b", "string")), record(field("x", "int"), field("b", "int")), "field 'b'"),
        (record(field("a", "string")), record(field("a", ["null", "string"])), "field 'a'"),
        (
            record(field("a", {"type": "array", "items": "int"})),
            record(field("a", {"type": "array", "items": "string"})),
            "field 'a'",
        ),
        (record(field("outer", INNER_INT)), record(field("outer", INNER)), "field 'outer.deep'"),
        (record(field("a", ["null", "int"])), record(field("a", ["null", "string"])), "field 'a'"),
        (record(name="R"), record(name="S"), "R"),
        (
            record(field("e", {"type": "enum", "name": "E", "symbols": ["A"]})),
            record(field("e", {"type": "enum", "name": "E", "symbols": ["A", "B"]})),
            "field 'e'",
        ),
        ('"int"', '"string"', "int"),
    ],
)
def test_unreadable_and_where(reader: str, writer: str, named: str) -> None:
    reason = why_unreadable(reader, writer)
    assert reason is not None
    assert reason.startswith(named)


ONE, TWO, THREE = record(field("a", "int")), record(field("a", "int", default=1)), record()


@pytest.mark.parametrize(
    ("level", "candidate", "earlier", "compatible"),
    [
        ("NONE", '"int"', {1: ONE}, True),
        ("BACKWARD", ONE, {1: THREE, 2: TWO}, True),
        ("BACKWARD_TRANSITIVE", ONE, {1: THREE, 2: TWO}, False),
        ("FORWARD", THREE, {1: ONE, 2: TWO}, True),
        ("FORWARD_TRANSITIVE", THREE, {1: ONE, 2: TWO}, False),
        ("FULL", TWO, {1: THREE}, True),
        ("FULL", ONE, {1: THREE}, False),
        ("FULL_TRANSITIVE", THREE, {1: ONE, 2: TWO}, False),
        ("BACKWARD_TRANSITIVE", ONE, {}, True),
    ],
)
def test_levels(level: str, candidate: str, earlier: dict[int, str], compatible: bool) -> None:
    assert (why_incompatible(candidate, earlier, level) is None) is compatible


def test_the_version_at_fault_is_named() -> None:
    assert "against version 1 at BACKWARD_TRANSITIVE" in str(
        why_incompatible(ONE, {1: THREE, 2: TWO}, "BACKWARD_TRANSITIVE")
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        "[]]",
        '"nothing"',
        '{"type": "record", "name": "R"}',
        '{"type": "record", "name": "1R", "fields": []}',
        '{"type": "record", "name": "R", "fields": [{"name": "a"}]}',
        "null",
        "1",
        '"' + "x" * MAX_SCHEMA_CHARS + '"',
        "[" * 100_000,
        '{"type":"array","items":' * 5_000 + '"int"' + "}" * 5_000,
    ],
)
def test_what_is_not_a_schema_is_refused(text: str) -> None:
    with pytest.raises(InvalidSchemaError):
        parse_schema(text)


def test_equal_schemas_have_one_canonical_text() -> None:
    spaced = '{ "name": "R", "fields": [], "type": "record" }'
    assert canonical(spaced) == canonical('{"type":"record","name":"R","fields":[]}')
    assert canonical(ONE) != canonical(TWO)

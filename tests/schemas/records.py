"""Any message of any record type, from its Avro schema."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from schemas.avro import schema_of
from schemas.message import Message

_PRIMITIVE: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False),
    "string": st.text(),
    "bytes": st.binary(),
}


def values(schema: Any) -> st.SearchStrategy[Any]:
    """Values of an Avro type."""
    match schema:
        case str():
            return _PRIMITIVE[schema]
        case list():
            return st.one_of([values(branch) for branch in schema])
        case {"logicalType": "timestamp-micros"}:
            return st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC))
        case {"type": "array", "items": items}:
            return st.lists(values(items), max_size=3)
        case {"type": "map", "values": entries}:
            return st.dictionaries(st.text(), values(entries), max_size=3)
    raise NotImplementedError(schema)


def messages(model: type[Message]) -> st.SearchStrategy[Message]:
    """Messages of one record type; `type` stays the record's name."""
    fields = {field["name"]: values(field["type"]) for field in schema_of(model)["fields"] if field["name"] != "type"}
    return st.fixed_dictionaries(fields).map(lambda chosen: model(**chosen))

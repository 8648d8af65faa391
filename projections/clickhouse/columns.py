"""The columns of a topic's table, from the schemas of its events."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

from schemas.avro import schema_of
from schemas.catalog import events_of

_PRIMITIVES = {
    "string": "String",
    "bytes": "String",
    "boolean": "Bool",
    "int": "Int32",
    "long": "Int64",
    "float": "Float32",
    "double": "Float64",
}
_COMPOSITE: dict[str, Any] = {"Array": (), "Map": {}}
"""How types begin that cannot be Nullable, and what stands where a record has no such field."""

_PLACE = {"_topic": "LowCardinality(String)", "_partition": "Int32", "_offset": "Int64"}


@dataclass(frozen=True, slots=True)
class Column:
    """`type` is ClickHouse's; `comment` is the field's description, led by "Personal data." where it is."""

    name: str
    type: str
    comment: str

    @property
    def ddl(self) -> str:
        comment = self.comment.replace("\\", "\\\\").replace("'", "\\'")
        return f"`{self.name}` {self.type}" + (f" COMMENT '{comment}'" if comment else "")


@cache
def columns_of(topic: str) -> tuple[Column, ...]:
    """The union of the fields of the topic's record types without secrets and pictures, then where the record stands.

    A field that not every record type has is Nullable, so that `avg` and `count` pass over the records without it.
    """
    schemas = [schema_of(model) for model in events_of(topic)]
    fields: dict[str, dict[str, Any]] = {}
    carriers: Counter[str] = Counter()
    for schema in schemas:
        for field in schema["fields"]:
            known = fields.setdefault(field["name"], field)
            if _always(_type(known["type"])) != _always(_type(field["type"])):
                raise TypeError(f"{topic}.{field['name']} has two types: {known['type']} and {field['type']}")
            if not _type(field["type"]).startswith("Nullable"):
                carriers[field["name"]] += 1
    columns = [
        _column(field, everywhere=carriers[name] == len(schemas))
        for name, field in fields.items()
        if not field.get("secret") and field["type"] != "bytes"
    ]
    return (*columns, *(Column(name, type_, _comment_of_place(name)) for name, type_ in _PLACE.items()))


def _column(field: dict[str, Any], everywhere: bool) -> Column:
    name: str = field["name"]
    type_ = "LowCardinality(String)" if name == "type" else _type(field["type"])
    if not everywhere and not type_.startswith((*_COMPOSITE, "Nullable")):
        type_ = f"Nullable({type_})"
    doc = field.get("doc", "")
    return Column(name, type_, f"Personal data. {doc}".strip() if field.get("personal") else doc)


def empty_of(type_: str) -> Any:
    """What stands in a column where a record has no such field."""
    return _COMPOSITE.get(type_.partition("(")[0])


def _comment_of_place(name: str) -> str:
    return f"The record's {name.lstrip('_')} in Kafka."


def _type(avro: Any) -> str:
    if isinstance(avro, str):
        return _PRIMITIVES[avro]
    if isinstance(avro, list):
        inner = [_type(branch) for branch in avro if branch != "null"]
        if len(inner) != 1:
            raise TypeError(f"no column type for the union {avro}")
        return f"Nullable({inner[0]})"
    if avro.get("logicalType") == "timestamp-micros":
        return "DateTime64(6, 'UTC')"
    if avro["type"] == "array":
        return f"Array({_type(avro['items'])})"
    if avro["type"] == "map":
        return f"Map(String, {_type(avro['values'])})"
    return _type(avro["type"])


def _always(type_: str) -> str:
    """The type without the choice to be absent."""
    return type_.removeprefix("Nullable(").removesuffix(")") if type_.startswith("Nullable") else type_

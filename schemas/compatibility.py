"""Whether today's reader understands yesterday's bytes: Avro's resolution rules, with the field at fault named."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from avro.compatibility import (
    ReaderWriterCompatibilityChecker,
    SchemaCompatibilityType,
    lookup_writer_field,
    schema_name_equals,
)
from avro.errors import AvroException
from avro.schema import RecordSchema, Schema, parse

MAX_SCHEMA_CHARS = 262_144

LEVELS = (
    "NONE",
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
)
"""The registry's compatibility levels; ours is BACKWARD_TRANSITIVE."""


_Checker: Any = ReaderWriterCompatibilityChecker  # its constructor is untyped


class InvalidSchemaError(ValueError):
    """Text that is not an Avro schema: says why."""


def parse_schema(text: str) -> Schema:
    """The parsed schema. Raises InvalidSchemaError, also for text beyond MAX_SCHEMA_CHARS."""
    if len(text) > MAX_SCHEMA_CHARS:
        raise InvalidSchemaError(f"the schema has {len(text)} characters, more than {MAX_SCHEMA_CHARS}")
    try:
        return parse(text)
    except (AvroException, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidSchemaError(str(error)) from error
    except RecursionError as error:
        raise InvalidSchemaError("the schema is nested too deeply") from error


def canonical(text: str) -> str:
    """One text for equal schemas: whitespace and the order of properties do not matter. Raises InvalidSchemaError."""
    parse_schema(text)
    return json.dumps(json.loads(text), separators=(",", ":"), sort_keys=True)


def why_unreadable(reader: str, writer: str) -> str | None:
    """Why `reader` cannot read what `writer` wrote, naming the fields; None when it can. Raises InvalidSchemaError."""
    faults = list(_faults(parse_schema(reader), parse_schema(writer), ()))
    return "; ".join(faults) or None


def why_incompatible(candidate: str, earlier: Mapping[int, str], level: str) -> str | None:
    """Why the candidate may not follow the earlier versions (number to text) at a level; None when it may."""
    if level == "NONE" or not earlier:
        return None
    transitive = level.endswith("_TRANSITIVE")
    for version in sorted(earlier, reverse=True) if transitive else [max(earlier)]:
        for reader, writer in _readings(candidate, earlier[version], level.removesuffix("_TRANSITIVE")):
            reason = why_unreadable(reader, writer)
            if reason:
                return f"{reason}, against version {version} at {level}"
    return None


def _readings(candidate: str, earlier: str, level: str) -> Iterable[tuple[str, str]]:
    """The (reader, writer) pairs that a level asks for."""
    if level in ("BACKWARD", "FULL"):
        yield candidate, earlier
    if level in ("FORWARD", "FULL"):
        yield earlier, candidate


def _faults(reader: Schema, writer: Schema, path: tuple[str, ...]) -> Iterator[str]:
    """The library judges; records are walked here, since it loses the place within a record."""
    here = f"field '{'.'.join(path)}'" if path else str(getattr(reader, "name", reader.type))
    if isinstance(reader, RecordSchema) and isinstance(writer, RecordSchema) and schema_name_equals(reader, writer):
        for field in reader.fields:
            written = lookup_writer_field(writer, field)
            if written is not None:
                yield from _faults(field.type, written.type, (*path, field.name))
            elif not field.has_default:
                yield f"field '{'.'.join((*path, field.name))}': missing in the writer's schema, and without a default"
        return
    result = _Checker().get_compatibility(reader, writer)
    if result.compatibility is SchemaCompatibilityType.incompatible:
        kinds = ", ".join(sorted({kind.value for kind in result.incompatibilities}))
        yield f"{here}: {kinds} ({'; '.join(sorted(result.messages))})"

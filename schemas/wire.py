"""The Confluent wire format: a zero byte, the schema id (4 bytes, big-endian), the Avro body."""

from __future__ import annotations

import io
import json
import struct
from typing import Any, NamedTuple

import fastavro
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from schemas.avro import schema_of
from schemas.catalog import BY_FULL_NAME
from schemas.message import Message

_HEADER = struct.Struct(">bI")


class WireError(ValueError):
    """Bytes that are not a record of ours: says what was wrong."""


class Decoded(NamedTuple):
    """A record as read: `type` is the record's short name, `fields` its values (datetimes in UTC)."""

    full_name: str
    type: str
    fields: dict[str, Any]


class _Reader(NamedTuple):
    full_name: str
    type: str
    writer: Any
    reader: Any


class Codec:
    """Encodes models and decodes bytes, with the registry asked once per schema."""

    def __init__(self, registry_url: str) -> None:
        self._registry = SchemaRegistryClient({"url": registry_url})
        self._headers: dict[type[Message], tuple[bytes, Any]] = {}
        self._readers: dict[int, _Reader] = {}

    def register_all(self) -> None:
        """Register every model's schema, and prepare to encode each. Raises SchemaRegistryError."""
        for model in BY_FULL_NAME.values():
            self._writer(model)

    def close(self) -> None:
        """Close the connections to the registry."""
        self._registry.close()

    def encode(self, message: Message) -> bytes:
        """Wire bytes of a message."""
        header, parsed = self._writer(type(message))
        body = io.BytesIO()
        body.write(header)
        fastavro.schemaless_writer(body, parsed, message.model_dump())
        return body.getvalue()

    def decode(self, value: bytes | None) -> Decoded:
        """The record in wire bytes, resolved to today's schema. Raises WireError."""
        if value is None or len(value) < _HEADER.size:
            raise WireError("shorter than the wire format's 5-byte header")
        magic, schema_id = _HEADER.unpack_from(value)
        if magic != 0:
            raise WireError(f"magic byte is {magic}, not 0")
        reader = self._readers.get(schema_id) or self._reader(schema_id)
        try:
            fields = fastavro.schemaless_reader(io.BytesIO(memoryview(value)[5:]), reader.writer, reader.reader)
        except Exception as error:
            raise WireError(f"not a {reader.full_name}: {error}") from error
        return Decoded(reader.full_name, reader.type, fields)  # type: ignore[arg-type]

    def _writer(self, model: type[Message]) -> tuple[bytes, Any]:
        known = self._headers.get(model)
        if known is None:
            schema = schema_of(model)
            schema_id = self._registry.register_schema(model.subject(), Schema(json.dumps(schema), "AVRO"))
            known = self._headers[model] = (_HEADER.pack(0, schema_id), fastavro.parse_schema(schema))
        return known

    def _reader(self, schema_id: int) -> _Reader:
        try:
            text = self._registry.get_schema(schema_id).schema_str
        except Exception as error:
            # An outage is not a poison record: only the registry's own "no such id" is the record's fault.
            if getattr(error, "http_status_code", None) == 404:
                raise WireError(f"schema id {schema_id} is not in the registry") from error
            raise
        writer: Any = fastavro.parse_schema(json.loads(text or "{}"))
        full_name = str(writer["name"])
        model = BY_FULL_NAME.get(full_name)
        if model is None:
            raise WireError(f"{full_name} is not a record type of the catalog")
        today = fastavro.parse_schema(schema_of(model))
        reader = None if today == writer else today
        made = self._readers[schema_id] = _Reader(full_name, full_name.rpartition(".")[2], writer, reader)
        return made

"""The Confluent wire format: a zero byte, the schema id (4 bytes, big-endian), the Avro body."""

from __future__ import annotations

import io
import json
import struct
from typing import Any, NamedTuple

import fastavro
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError
from fastavro.schema import SchemaParseException, UnknownType

from schemas.avro import schema_of
from schemas.catalog import BY_FULL_NAME
from schemas.message import Message
from schemas.sealing import Keyring, Personal, SealBroken, personal_of

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
    personal: Personal | None


class Codec:
    """Encodes models and decodes bytes, with the registry asked once per schema. Safe to share between threads.

    `keyring`: seals personal texts on the way out and opens them on the way in. Without one they go out as they are,
    and sealed ones stay sealed.
    `plain_times`: decoded times stay numbers of microseconds since the epoch, not looked at, which is faster.
    """

    def __init__(self, registry_url: str, keyring: Keyring | None = None, *, plain_times: bool = False) -> None:
        self._keyring = keyring
        self._plain_times = plain_times
        self._registry = SchemaRegistryClient({"url": registry_url})
        self._headers: dict[type[Message], tuple[bytes, Any]] = {}
        self._readers: dict[bytes, _Reader] = {}  # by header

    def register_all(self) -> None:
        """Register every model's schema, and prepare to encode each. Raises SchemaRegistryError."""
        for model in BY_FULL_NAME.values():
            self._writer(model)

    def close(self) -> None:
        """Close the connections to the registry, and the keyring."""
        self._registry.close()
        if self._keyring:
            self._keyring.close()

    def is_ready(self, message: Message) -> bool:
        """Whether `encode` would not wait for a key of a subject to be looked up or made."""
        personal = self._keyring and personal_of(type(message))
        if not personal or not self._keyring:
            return True
        return all(map(self._keyring.knows, {getattr(message, subject) for _, subject in personal.fields}))

    def encode(self, message: Message) -> bytes:
        """Wire bytes of a message. Raises KeysUnavailable. May wait for Kafka when a subject has no key yet."""
        header, parsed = self._writer(type(message))
        values = message.model_dump()
        personal = self._keyring and personal_of(type(message))
        if personal and self._keyring:
            personal.seal(values, self._keyring)
        body = io.BytesIO()
        body.write(header)
        fastavro.schemaless_writer(body, parsed, values)
        return body.getvalue()

    def decode(self, value: bytes | None) -> Decoded:
        """The record in wire bytes, resolved to today's schema. Raises WireError, KeysUnavailable."""
        if value is None:
            raise WireError("a null value")
        reader = self._readers.get(value[: _HEADER.size]) or self._reader(value[: _HEADER.size])
        body = io.BytesIO(value)
        body.seek(_HEADER.size)
        try:
            fields = fastavro.schemaless_reader(body, reader.writer, reader.reader)
        except Exception as error:  # fastavro lets whatever its decoders meet through
            raise WireError(f"not a {reader.full_name}: {error}") from error
        if body.tell() != len(value):
            raise WireError(f"{len(value) - body.tell()} bytes after the end of a {reader.full_name}")
        if self._keyring and reader.personal:
            try:
                reader.personal.open(fields, self._keyring)  # type: ignore[arg-type]
            except SealBroken as error:
                raise WireError(f"not a {reader.full_name}: {error}") from error
        return Decoded(reader.full_name, reader.type, fields)  # type: ignore[arg-type]

    def _writer(self, model: type[Message]) -> tuple[bytes, Any]:
        known = self._headers.get(model)
        if known is None:
            schema = schema_of(model)
            schema_id = self._registry.register_schema(model.subject(), Schema(json.dumps(schema), "AVRO"))
            known = self._headers[model] = (_HEADER.pack(0, schema_id), fastavro.parse_schema(schema))
        return known

    def _reader(self, header: bytes) -> _Reader:
        if len(header) < _HEADER.size:
            raise WireError(f"shorter than the wire format's {_HEADER.size}-byte header")
        magic, schema_id = _HEADER.unpack(header)
        if magic != 0:
            raise WireError(f"magic byte is {magic}, not 0")
        writer = self._registered(schema_id)
        full_name = str(writer.get("name")) if isinstance(writer, dict) else str(writer)
        model = BY_FULL_NAME.get(full_name)
        if model is None:
            raise WireError(f"{full_name} is not a record type of the catalog")
        today = fastavro.parse_schema(schema_of(model))
        reader = None if today == writer else today
        if self._plain_times:
            writer, reader = _without_times(writer), reader and _without_times(reader)
        made = self._readers[header] = _Reader(full_name, model.__name__, writer, reader, personal_of(model))
        return made

    def _registered(self, schema_id: int) -> Any:
        try:
            text = self._registry.get_schema(schema_id).schema_str or ""
        except SchemaRegistryError as error:
            # An outage is not a poison record: only the registry's own "no such id" is the record's fault.
            if error.http_status_code == 404:
                raise WireError(f"schema id {schema_id} is not in the registry") from error
            raise
        try:
            return fastavro.parse_schema(json.loads(text))
        except (ValueError, TypeError, KeyError, SchemaParseException, UnknownType) as error:
            raise WireError(f"schema id {schema_id} is not an Avro schema: {error}") from error


def _without_times(schema: Any) -> Any:
    """The same schema in which every time is a plain number."""
    fields = [
        field | {"type": "long"} if isinstance(field["type"], dict) and "logicalType" in field["type"] else field
        for field in schema["fields"]
    ]
    plain = {name: value for name, value in schema.items() if not name.startswith("__")}
    return fastavro.parse_schema(plain | {"fields": fields})

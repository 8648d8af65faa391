"""What a projection could not read. Key: the topic it came from."""

from __future__ import annotations

from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.message import Event


class DeadLettered(Event):
    """A record was set aside, with the reason and its bytes."""

    topic: ClassVar[str] = "dead-letters"
    key_field: ClassVar[str] = "source_topic"
    source_topic: str
    source_partition: types.Int32
    source_offset: int
    projection: str
    reason: str
    record_key: bytes = Field(default=b"", json_schema_extra={"personal": True})
    record_value: bytes = Field(default=b"", json_schema_extra={"personal": True})

"""The envelope: what every event, command and result carries besides its own facts."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from dataclasses_avroschema import types
from dataclasses_avroschema.pydantic import AvroBaseModel
from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict


def personal(subject: str) -> JsonDict:
    """Marks a text that is personal data of the user whom the field `subject` of the same record names.

    It travels into the `.avsc` as a field property. The codec encrypts the text under that user's key.
    """
    return {"personal": subject}


SECRET: JsonDict = {"secret": True}
"""Marks a field that only deciders may see (a hash of a secret); no analyst table carries it."""


class Message(AvroBaseModel):
    """Anything that travels through Kafka. Immutable; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: ClassVar[str]
    """The topic this record type is appended to."""

    key_field: ClassVar[str]
    """The field that becomes the Kafka key: the aggregate's id."""

    @property
    def key(self) -> str:
        value: str = getattr(self, self.key_field)
        return value

    @classmethod
    def full_name(cls) -> str:
        """The Avro full name, such as `tally.streams.StreamStarted`."""
        return f"tally.{re.sub('[^a-z]', '_', cls.topic)}.{cls.__name__}"

    @classmethod
    def subject(cls) -> str:
        """The registry subject after Confluent's TopicRecordNameStrategy."""
        return f"{cls.topic}-{cls.full_name()}"


class Event(Message):
    """A fact, named in the past tense, appended once and never changed."""

    event_id: str = Field(description="UUIDv7, or UUIDv5 of the command id where the append may repeat.")
    type: str = Field(description="The record's name, so that untyped readers can dispatch.")
    occurred_at: types.DateTimeMicro = Field(description="When it happened, UTC, microseconds.")
    actor: str = Field(description="Who did it: a user id, or `system:<process>`.")
    correlation_id: str = Field(description="One id for everything that one request caused.")
    causation_id: str | None = Field(default=None, description="The message that directly caused this one.")
    command_id: str | None = Field(default=None, description="The command that was decided, for dedupe.")

    @model_validator(mode="before")
    @classmethod
    def _name_itself(cls, values: Any) -> Any:
        if isinstance(values, dict):
            return {"type": cls.__name__, **values}
        return values


class Command(Message):
    """A wish, named in the imperative. The gateway puts time, randomness and look-ups on it."""

    command_id: str = Field(description="The idempotency id: the same id is decided once.")
    issued_at: types.DateTimeMicro = Field(description="The gateway's clock, UTC: the deciders' only time.")
    actor: str = Field(description="The authenticated user id, or `system:<process>`.")
    correlation_id: str = Field(description="One id for everything that one request caused.")


class Result(Message):
    """What became of a command."""

    command_id: str
    correlation_id: str
    decided_at: types.DateTimeMicro

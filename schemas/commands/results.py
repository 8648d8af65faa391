"""What became of commands: one record type each way, on the results topic of the aggregate."""

from __future__ import annotations

from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.message import Result


class CommandAccepted(Result):
    """The command was decided; its last event lies at this place. An offset of -1 means that nothing had to happen."""

    topic: ClassVar[str] = "results"
    key_field: ClassVar[str] = "command_id"
    event_topic: str
    partition: types.Int32
    offset: int
    reply: dict[str, str] = Field(default_factory=dict, description="What the caller needs at once: a stream id, say.")


class CommandRejected(Result):
    """The command was refused."""

    topic: ClassVar[str] = "results"
    key_field: ClassVar[str] = "command_id"
    code: str = Field(description="Stable and machine-readable, such as login_taken.")
    message: str = Field(description="What was wrong and what to do.")
    retry_after_ms: types.Int32 = Field(
        default=0, description="Wait so long before trying again; 0 where it is no use."
    )

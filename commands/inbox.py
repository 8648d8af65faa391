"""Commands as they arrive: read, checked, or set aside as a dead letter."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import NamedTuple

from confluent_kafka import Message
from pydantic import ValidationError

from commands.aggregate import Aggregate, id_of
from schemas.catalog import BY_FULL_NAME
from schemas.events.dead_letters import DeadLettered
from schemas.message import Command
from schemas.wire import Codec, WireError
from topology.kafka import record_bytes

MAX_KEPT_BYTES = 500_000
"""Of a record that is set aside: a dead letter must fit into a record itself."""

_DEAD_LETTERS = uuid.UUID("b0a0f6c9-6a0f-5a53-8a43-6f8c54f3c0de")


class Batch(NamedTuple):
    """What arrived on one partition, in order."""

    commands: list[Command]
    dead_letters: list[DeadLettered]
    next_offset: int


def read_batch(aggregate: Aggregate, codec: Codec, messages: list[Message]) -> Batch:
    """Sort the messages of one partition, at least one. Raises what the codec raises when the registry is away."""
    commands: list[Command] = []
    dead_letters: list[DeadLettered] = []
    for message in messages:
        try:
            commands.append(_command(aggregate, codec, message))
        except WireError as error:
            dead_letters.append(_dead_letter(aggregate, message, str(error)))
    return Batch(commands, dead_letters, (messages[-1].offset() or 0) + 1)


def _command(aggregate: Aggregate, codec: Codec, message: Message) -> Command:
    decoded = codec.decode(message.value())
    model = BY_FULL_NAME[decoded.full_name]
    if model.topic != aggregate.commands_topic:
        raise WireError(f"{decoded.full_name} does not belong on {aggregate.commands_topic}")
    try:
        command = model.model_validate(decoded.fields)
    except ValidationError as error:
        # Without the values: they may be secret or personal, and the reason is shown to operators.
        fields = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False))
        raise WireError(f"{decoded.full_name} has bad fields: {fields}") from error
    if not isinstance(command, Command) or message.key() != id_of(command).encode():
        raise WireError("the key is not the aggregate's id")
    return command


def _dead_letter(aggregate: Aggregate, message: Message, reason: str) -> DeadLettered:
    topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
    place = f"{topic}:{partition}:{offset}"
    return DeadLettered(
        type=DeadLettered.__name__,
        event_id=str(uuid.uuid5(_DEAD_LETTERS, place)),
        occurred_at=datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC),
        actor="system:deciders",
        correlation_id=place,
        source_topic=topic,
        source_partition=partition,
        source_offset=offset,
        projection=f"decider:{aggregate.name}",
        reason=reason,
        record_key=_bytes(message.key()),
        record_value=_bytes(message.value()),
    )


def _bytes(value: str | bytes | None) -> bytes:
    return record_bytes(value)[:MAX_KEPT_BYTES]

"""Deciding a batch of one partition's commands: pure, so that one whose fate is unknown is simply decided again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from commands.aggregate import Aggregate, id_of
from commands.memory import Memory, Outcome
from commands.rejection import Rejected
from schemas.message import Command, Event

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a command: new `events`, the `earlier` outcome of the same command, a refusal, or nothing at all.

    `repeated` is set on a command that came twice in the batch: its outcome is the first one's.
    """

    command: Command
    events: Sequence[Event] = ()
    rejected: Rejected | None = None
    earlier: Outcome | None = None
    repeated: bool = False


def decide_batch(aggregate: Aggregate, memory: Memory, commands: Iterable[Command]) -> list[Verdict]:
    """One verdict per command, in order, each seeing the events of those before it. The memory stays as it is."""
    states: dict[str, Any] = {}
    accepted: set[tuple[str, str]] = set()
    verdicts = []
    for command in commands:
        aggregate_id = id_of(command)
        verdict = _recalled(memory, accepted, aggregate_id, command)
        if verdict is None:
            state = states[aggregate_id] if aggregate_id in states else memory.state(aggregate_id)
            verdict = _decided(aggregate, state, command)
            for event in verdict.events:
                states[aggregate_id] = state = aggregate.evolve(state, event)
            if verdict.events:
                accepted.add((aggregate_id, command.command_id))
        verdicts.append(verdict)
    return verdicts


def _recalled(memory: Memory, accepted: set[tuple[str, str]], aggregate_id: str, command: Command) -> Verdict | None:
    if (aggregate_id, command.command_id) in accepted:
        return Verdict(command, repeated=True)
    earlier = memory.outcome(aggregate_id, command.command_id)
    return None if earlier is None else Verdict(command, earlier=earlier)


def _decided(aggregate: Aggregate, state: Any, command: Command) -> Verdict:
    try:
        return Verdict(command, events=aggregate.decide(command, state))
    except Rejected as rejected:
        return Verdict(command, rejected=rejected)
    except Exception:
        log.exception(
            "a decider failed",
            aggregate=aggregate.name,
            command=type(command).__name__,
            command_id=command.command_id,
            correlation_id=command.correlation_id,
        )
        return Verdict(command, rejected=Rejected("internal_error", "the command could not be decided; report its id"))

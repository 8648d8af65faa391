"""What a decider knows of one partition: each aggregate's state, and what became of its latest commands."""

from __future__ import annotations

from typing import Any, NamedTuple

from commands.aggregate import Aggregate, id_of
from schemas.message import Event


class Outcome(NamedTuple):
    """What an accepted command was answered: the offset of its last event, and the reply."""

    offset: int
    reply: dict[str, str]


class Memory:
    """A fold of the log: the same events in the same order always give the same memory, wherever they came from."""

    def __init__(self, aggregate: Aggregate) -> None:
        self._aggregate = aggregate
        self._states: dict[str, Any] = {}
        self._outcomes: dict[str, dict[str, Outcome]] = {}

    def state(self, aggregate_id: str) -> Any:
        """The aggregate's state; the initial one when nothing happened to it."""
        known = self._states.get(aggregate_id)
        return self._aggregate.initial_state() if known is None else known

    def outcome(self, aggregate_id: str, command_id: str) -> Outcome | None:
        """What the command was answered when it was decided; None if it is new or was forgotten."""
        return self._outcomes.get(aggregate_id, _NOTHING).get(command_id)

    def apply(self, event: Event, offset: int) -> None:
        """Fold an event, the aggregate's own or a fact."""
        aggregate_id = id_of(event)
        before = self.state(aggregate_id)
        after = self._aggregate.evolve(before, event)
        if after is not before:
            self._states[aggregate_id] = after
        if event.command_id is not None and event.topic == self._aggregate.name:
            self._remember(aggregate_id, event.command_id, Outcome(offset, self._aggregate.reply(event)))

    def _remember(self, aggregate_id: str, command_id: str, outcome: Outcome) -> None:
        outcomes = self._outcomes.setdefault(aggregate_id, {})
        outcomes[command_id] = outcome
        if len(outcomes) > self._aggregate.remembered:
            del outcomes[next(iter(outcomes))]


_NOTHING: dict[str, Outcome] = {}

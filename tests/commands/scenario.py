"""Specifications of deciders that read as sentences: given events, when a command, then events or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any, Self, TypeVar

import pytest

from commands.rejection import Rejected
from schemas.message import Command, Event

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
ADA, BOB = "1001", "1002"

_ENVELOPE = ("event_id", "occurred_at", "actor", "correlation_id", "causation_id", "command_id")

E = TypeVar("E", bound=Event)
C = TypeVar("C", bound=Command)


def happened(event: type[E], at_s: float = 0.0, **facts: Any) -> E:
    """An event with its facts, `at_s` seconds after noon; the envelope does not matter."""
    return event(
        event_id="e", occurred_at=NOON + timedelta(seconds=at_s), actor="system:test", correlation_id="c", **facts
    )


def wish(command: type[C], /, at_s: float = 0.0, actor: str = ADA, command_id: str = "wish-1", **fields: Any) -> C:
    """A command by Ada unless somebody else is named, `at_s` seconds after noon."""
    issued_at = NOON + timedelta(seconds=at_s)
    return command(command_id=command_id, issued_at=issued_at, actor=actor, correlation_id="c", **fields)


class Scenario:
    """`decide` replaces the decider's own, where a scenario needs it configured."""

    def __init__(self, decider: ModuleType, decide: Callable[[Any, Any], Sequence[Event]] | None = None) -> None:
        self._evolve = decider.evolve
        self._decide = decide or decider.decide
        self._state = decider.initial_state()
        self._command: Command | None = None

    def given(self, *events: Event) -> Self:
        for event in events:
            self._state = self._evolve(self._state, event)
        return self

    def when(self, command: Command) -> Self:
        self._command = command
        return self

    def then(self, *expected: Event) -> None:
        events = self._decide(self._command, self._state)

        assert [_facts(event) for event in events] == [_facts(event) for event in expected]
        _assert_envelopes(events, self._command)

    def then_accepted(self) -> None:
        """Whatever the events are."""
        assert self._decide(self._command, self._state)

    def then_nothing(self) -> None:
        assert list(self._decide(self._command, self._state)) == []

    def then_rejected(self, code: str) -> None:
        with pytest.raises(Rejected) as refusal:
            self._decide(self._command, self._state)

        assert refusal.value.code == code
        assert refusal.value.message
        assert code in str(refusal.value)


def _facts(event: Event) -> dict[str, Any]:
    return {name: value for name, value in event.model_dump().items() if name not in _ENVELOPE}


def _assert_envelopes(events: Sequence[Event], command: Command | None) -> None:
    assert command is not None
    assert len({event.event_id for event in events}) == len(events)
    for event in events:
        assert event.occurred_at == command.issued_at
        assert event.actor == command.actor
        assert event.correlation_id == command.correlation_id
        assert event.causation_id == event.command_id == command.command_id

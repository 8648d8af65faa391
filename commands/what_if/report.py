"""What changes: how many sayings would be decided otherwise, from what to what, with examples."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from commands.what_if.wanted import Wanted
from commands.what_if.world import Decision, Judged, World
from schemas.message import Event

EXAMPLES = 5
"""Of each change."""

Change = tuple[Decision, Decision]


@dataclass(slots=True)
class Report:
    """Changes by (was, would be), the most frequent first."""

    examples_wanted: int = EXAMPLES
    judged: int = 0
    changes: Counter[Change] = field(default_factory=Counter)
    examples: dict[Change, list[Judged]] = field(default_factory=dict)

    def add(self, judged: Judged) -> None:
        self.judged += 1
        if judged.was == judged.would_be:
            return
        change = judged.was, judged.would_be
        self.changes[change] += 1
        kept = self.examples.setdefault(change, [])
        if len(kept) < self.examples_wanted:
            kept.append(judged)

    def as_json(self) -> dict[str, Any]:
        return {
            "judged": self.judged,
            "changed": self.changes.total(),
            "changes": [
                {
                    "was": str(was),
                    "would_be": str(would_be),
                    "count": count,
                    "examples": [_example(judged) for judged in self.examples.get((was, would_be), ())],
                }
                for (was, would_be), count in self.changes.most_common()
            ],
        }


def what_if(events: Iterable[Event], wanted: Wanted, since: datetime, examples: int = EXAMPLES) -> Report:
    """Judge a channel's sayings since then by another policy. `events` are its own and its facts', in order of time.

    Raises Rejected where the policy cannot be combined with the channel's.
    """
    report, world = Report(examples), World(wanted)
    with _uncollected():
        for event in _remembered(iter(events), world, since):
            judged = world.judge(event)
            if judged is not None:
                report.add(judged)
    return report


@contextmanager
def _uncollected() -> Iterator[None]:
    """What is folded has no cycles: looking for some takes an eighth of the time."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


def _remembered(events: Iterator[Event], world: World, since: datetime) -> Iterator[Event]:
    """Lets the world know what came before, then gives what comes."""
    for event in events:
        if event.occurred_at >= since:
            world.begin()
            yield event
            break
        world.remember(event)
    yield from events


def _example(judged: Judged) -> dict[str, str]:
    event = judged.event
    return {
        "message_id": event.message_id,
        "sender_id": event.sender_id,
        "sender_login": event.sender_login,
        "at": event.occurred_at.isoformat(),
        "text": event.text,
    }

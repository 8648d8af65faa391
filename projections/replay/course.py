"""How far a replay has come, for people who wait for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from projections.replay.errors import PoisonFound
from projections.replay.loading import Load, Loaded


@dataclass
class Course:
    """Distances are in offsets: what is aborted or expired counts as passed."""

    changed: Callable[[Course], None] = lambda _: None
    total: int = 0
    done: int = 0
    events: int = 0
    doing: str = ""
    first_error: str = ""
    skipped: list[PoisonFound] = field(default_factory=list)
    events_of: dict[str, int] = field(default_factory=dict)
    """By model."""
    started: float = field(default_factory=time.monotonic)
    _reached: dict[tuple[str, int], int] = field(default_factory=dict)

    def plan(self, starts: Mapping[Load, tuple[int, int]]) -> None:
        """For each load, from where to where it is expected to go."""
        self.total = sum(end - start for start, end in starts.values())
        self._reached = {(load.model, load.partition): start for load, (start, _) in starts.items()}
        self.started = time.monotonic()
        self.changed(self)

    def advanced(self, step: Loaded) -> None:
        place = step.load.model, step.load.partition
        self.done += step.next_offset - self._reached.get(place, step.next_offset)
        self._reached[place] = step.next_offset
        self.events += step.events
        self.events_of[step.load.model] = self.events_of.get(step.load.model, 0) + step.events
        self.skipped.extend(step.skipped)
        if step.skipped and not self.first_error:
            self.first_error = str(step.skipped[0])
        self.changed(self)

    def say(self, doing: str) -> None:
        self.doing = doing
        self.changed(self)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def events_per_s(self) -> float:
        return self.events / self.seconds if self.seconds > 0 else 0.0

    @property
    def eta_s(self) -> float | None:
        """Seconds to go at the pace so far; None before anything was done."""
        return self.seconds * (self.total - self.done) / self.done if self.done > 0 else None

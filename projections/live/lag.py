"""How far behind the projections are, for people, `status`, `doctor` and metrics."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from projections.live.applier import Applier
from topology.settings import Settings

log = structlog.get_logger()

WRITE_EVERY_S = 1.0
LOG_EVERY_S = 15.0


class Ends(NamedTuple):
    """What the consumer knows of a partition: the next offset it reads, and where the committed records end."""

    position: int
    end: int


EndsOf = Callable[[str, int], Ends | None]
"""By topic and partition; None while the consumer does not know."""

IsWaiting = Callable[[str], bool]
"""Whether records of the topic were fetched and wait for their agent."""


def lag_path(settings: Settings, store: str) -> Path:
    """Where a store's runner leaves its lag."""
    return settings.data_dir / "run" / f"projections-{store}.lag.json"


class LagMeter:
    """Lag in records (and markers of transactions), and in seconds since the oldest of them was appended."""

    def __init__(self, path: Path, appliers: Iterable[Applier], ends_of: EndsOf, is_waiting: IsWaiting) -> None:
        self._path = path
        self._appliers = tuple(appliers)
        self._ends_of = ends_of
        self._is_waiting = is_waiting
        self._behind_since: dict[str, float] = {}

    async def run(self) -> None:
        """Publish until cancelled."""
        logged = 0.0
        while True:
            report = self.report(time.time())
            await asyncio.to_thread(self._write, report)
            if time.monotonic() - logged >= LOG_EVERY_S:
                logged = time.monotonic()
                log.info("lag", **{name: f"{p['lag']} records, {p['lag_s']} s" for name, p in report.items()})
            await asyncio.sleep(WRITE_EVERY_S)

    def report(self, now: float) -> dict[str, dict[str, Any]]:
        """By projection: lag, lag_s, set_aside, event_time, and each assigned partition's next offset and lag."""
        return {name: self._of(applier, name, now) for applier in self._appliers for name in applier.next_offsets}

    def _of(self, applier: Applier, name: str, now: float) -> dict[str, Any]:
        busy = self._is_waiting(applier.topic) or bool(applier.in_hand)
        partitions = {}
        for partition, next_offset in sorted(applier.next_offsets[name].items()):
            ends = self._ends_of(applier.topic, partition)
            # A consumer that is through has passed markers of transactions that no record follows.
            lag = max(0, ends.end - (next_offset if busy else max(next_offset, ends.position))) if ends else None
            partitions[str(partition)] = {"next_offset": next_offset, "lag": lag}
        total = sum(partition["lag"] or 0 for partition in partitions.values())
        if not total:
            self._behind_since.pop(name, None)
        event_time = applier.event_times.get(name)
        return {
            "topic": applier.topic,
            "lag": total,
            "lag_s": round(now - self._oldest(applier, name, now), 3) if total else 0.0,
            "set_aside": applier.set_aside[name],
            "event_time": event_time.isoformat() if event_time else None,
            "partitions": partitions,
        }

    def _oldest(self, applier: Applier, name: str, now: float) -> float:
        """The oldest unprocessed record's time; while none is in hand, when the lag was first seen."""
        if applier.in_hand:
            self._behind_since.pop(name, None)
            return min(applier.in_hand.values())
        return self._behind_since.setdefault(name, now)

    def _write(self, report: dict[str, dict[str, Any]]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps({"pid": os.getpid(), "at": time.time(), "projections": report}))
        fresh.replace(self._path)

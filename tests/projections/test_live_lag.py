"""The lag says how far behind a projection is, and nothing else."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from projections.live.applier import Applier
from projections.live.lag import Ends, LagMeter
from projections.models import chat
from tests.projections.waiting import eventually

NOW = 1000.0


class Scene:
    """Chat's projection at offset 10 of partition 0; the log and the queue are what the test says."""

    def __init__(self, path: Path) -> None:
        unused: Any = None
        self.applier = Applier("chat", [chat.MODEL], unused, unused, unused)
        self.applier.next_offsets["chat"] = {0: 10}
        self.ends: Ends | None = Ends(position=10, end=10)
        self.waiting = False
        self.meter = LagMeter(path, [self.applier], lambda topic, partition: self.ends, lambda topic: self.waiting)

    def report(self, now: float = NOW) -> dict[str, Any]:
        return self.meter.report(now)["chat"]

    @property
    def lag(self) -> tuple[int, float]:
        report = self.report()
        return report["lag"], report["lag_s"]


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "run" / "lag.json")


async def test_nothing_to_read_is_no_lag(scene: Scene) -> None:
    assert scene.lag == (0, 0.0)


async def test_markers_of_transactions_at_the_end_are_no_lag(scene: Scene) -> None:
    scene.ends = Ends(position=12, end=12)
    assert scene.lag == (0, 0.0)


async def test_records_in_hand_count_though_the_consumer_has_passed_them(scene: Scene) -> None:
    scene.ends = Ends(position=15, end=15)
    scene.applier.in_hand[0] = NOW - 2.5
    assert scene.lag == (5, 2.5)


async def test_records_that_wait_for_their_agent_count(scene: Scene) -> None:
    scene.ends, scene.waiting = Ends(position=15, end=15), True
    assert scene.lag == (5, 0.0)


async def test_records_not_fetched_yet_age_from_when_they_were_noticed(scene: Scene) -> None:
    scene.ends = Ends(position=10, end=13)
    assert scene.lag == (3, 0.0)
    assert scene.report(NOW + 4)["lag_s"] == 4.0
    scene.ends = Ends(position=13, end=13)
    scene.report(NOW + 5)
    scene.ends = Ends(position=13, end=14)
    assert scene.report(NOW + 9)["lag_s"] == 0.0


async def test_a_partition_whose_end_is_unknown_says_so(scene: Scene) -> None:
    scene.ends = None
    assert scene.report()["partitions"] == {"0": {"next_offset": 10, "lag": None}}


async def test_the_lag_is_written_where_others_read_it(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "run" / "lag.json"
    running = asyncio.create_task(scene.meter.run())
    await eventually(lambda: asyncio.to_thread(path.exists))
    running.cancel()
    assert json.loads(path.read_text())["projections"]["chat"]["topic"] == "chat"

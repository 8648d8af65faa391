"""`kill -9` of chat processes while people chat: everybody is told what the log says, once and in its order."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from benchmarks.chat_door import ChatDoor, second_door
from benchmarks.chat_log import Faults
from benchmarks.chat_part import chat_part
from benchmarks.crowd import Plan
from benchmarks.residents import settle
from topology.ports import local_settings
from topology.secrets import Secrets

ROOMS = 3
SPEAKERS = 12
"""Four a room, one message in two seconds each: fewer than the 20 in 30 s that may be said."""

RATE = 6
SECONDS = 20

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(300)]


def test_who_comes_back_with_a_cursor_misses_nothing_and_is_told_nothing_twice(
    system: dict[str, Any], tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    data = Path(system["data"])
    secrets = Secrets.load(data)
    assert secrets is not None
    settings = secrets.apply(local_settings(data, system["port_base"]))
    with second_door(settings, tmp_path) as second:
        doors = (ChatDoor(system["chat"], data), second)
        residents = asyncio.run(settle(settings, SPEAKERS))
        speakers = [(each.token, [residents[number % ROOMS].id]) for number, each in enumerate(residents)]
        plan = Plan([door.url for door in doors], speakers, RATE, RATE * SECONDS, 0, seed)

        part = chat_part(settings, doors, plan, kills=random.Random(seed))

    assert part.kills >= 1, f"seed {seed}"
    assert part.heard["away_s"], f"seed {seed}: nobody had to come back"
    assert (part.unaccepted(), part.heard["refused"]) == (0, {}), f"seed {seed}"
    assert len(part.logged) == RATE * SECONDS, f"seed {seed}"
    assert part.untraced() == 0, f"seed {seed}"
    assert part.faults() == Faults(), f"seed {seed}"

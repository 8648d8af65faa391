"""In which order those who wait are answered, and that they leave time to others."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.responses import Response

from ingest.hls.fan_out import FanOut
from ingest.hls.live_edge import Hold, LiveEdge
from ingest.hls.registry import Registry
from ingest.hls.shelf import Slice
from ingest.hls.wanted import Part, Reload, Wanted
from tests.ingest.hls.stage import Stage, window_of

HINTED, RELOAD = Part(1, 0), Reload(1, 0, skip=True)


class Crowds:
    """Waiters of one window, and who was answered so far."""

    def __init__(self, directory: Path) -> None:
        registry = Registry(directory)
        self.stage = Stage(registry.open("stream"))
        self.stage.add_segments(1)
        self.edge = LiveEdge(registry)
        self.fan_out = FanOut(self.edge)
        self.answered: list[tuple[str, Response | Slice]] = []

    def add(self, name: str, wanted: Wanted) -> None:
        window = window_of(self.stage.playback)
        found = self.edge.ask(window, wanted, gzip=False)
        assert isinstance(found, Hold)
        self.fan_out.join(Named(name, self), found, (wanted, False), asyncio.get_running_loop())

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.answered]

    async def until_held(self, count: int) -> None:
        async with asyncio.timeout(20):
            while self.edge.held.count > count:  # noqa: ASYNC110  # the edge tells nobody
                await asyncio.sleep(0)


class Named:
    def __init__(self, name: str, crowds: Crowds) -> None:
        self.name, self._crowds = name, crowds

    def answer(self, found: Response | Slice) -> None:
        if self.name == "broken":
            raise ValueError(self.name)
        self._crowds.answered.append((self.name, found))


@pytest.fixture
def crowds(tmp_path: Path) -> Crowds:
    return Crowds(tmp_path)


async def test_who_came_first_is_first_and_parts_come_before_playlists(crowds: Crowds) -> None:
    for name in ("a", "b"):
        crowds.add(f"playlist {name}", RELOAD)
        crowds.add(f"part {name}", HINTED)
    crowds.stage.add_parts(1)
    await crowds.until_held(0)
    assert crowds.names == ["part a", "part b", "playlist a", "playlist b"]


async def test_all_who_wait_for_the_same_get_the_same_bytes(crowds: Crowds) -> None:
    for name in "abc":
        crowds.add(name, HINTED)
    crowds.stage.add_parts(1, fill=b"the part")
    await crowds.until_held(0)
    (answer,) = {found for _, found in crowds.answered}
    assert isinstance(answer, Response)
    assert answer.body == b"the part"


async def test_a_thousand_answers_leave_others_their_turns(crowds: Crowds) -> None:
    for number in range(1000):
        crowds.add(str(number), HINTED)
    crowds.stage.add_parts(1)
    seen = []
    while crowds.edge.held.count:
        await asyncio.sleep(0)
        seen.append(len(crowds.answered))
    assert len(seen) >= 4
    assert max(after - before for before, after in zip([0, *seen], seen, strict=False)) <= 250
    assert crowds.names == [str(number) for number in range(1000)]


async def test_nobody_is_answered_before_the_time_of_what_they_want(crowds: Crowds) -> None:
    crowds.add("next", HINTED)
    crowds.add("whole", Reload(1, None, skip=False))
    crowds.stage.add_parts(1)
    await crowds.until_held(1)
    assert crowds.names == ["next"]
    crowds.stage.close()
    await crowds.until_held(0)
    assert crowds.names == ["next", "whole"]


async def test_a_waiter_that_breaks_does_not_keep_others_waiting(crowds: Crowds) -> None:
    broken: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: broken.append(str(context["exception"])))
    crowds.add("broken", HINTED)
    crowds.add("playlist", RELOAD)
    crowds.stage.add_parts(1)
    await crowds.until_held(0)
    assert broken == ["broken"]
    assert crowds.names == ["playlist"]

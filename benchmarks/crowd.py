"""Many who chat at a rate that does not depend on the answers: `python -m benchmarks.crowd`, on one thread.

A plan on standard input, a JSON object. On standard output `ready` once everybody is in all their rooms, `said` after
the last message, and what was heard, another object, when everybody has heard everything.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

import uvloop

from benchmarks.files import raise_limit
from benchmarks.visitor import Visitor

ENTERING_S = 120.0
PATIENCE_S = 90.0
SETTLE_S = 1.0
"""For what may come twice."""

LOOK_S = 0.005
TEXT = "what is said in a chat is seldom long, and this is about as long as it gets"


@dataclass(frozen=True, slots=True)
class Plan:
    """Each room has a reader, without a token, at each of the `urls`; speakers are dealt out to them in turn.

    `speakers` are a token and the rooms spoken in. In each round each speaks once in each of its rooms, at any moment.
    """

    urls: list[str]
    speakers: list[tuple[str, list[str]]]
    rate: float
    messages: int
    warm_up: int
    """So many of the first messages are not timed."""

    seed: int


@dataclass(slots=True)
class Message:
    """Unix times; `told` are those at which the readers got it, by the reader's URL."""

    number: int
    room: str
    at_url: int
    sent_at: float
    id: str = ""
    accepted_at: float = 0.0
    told: dict[int, float] = field(default_factory=dict)


class Crowd:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._dice = random.Random(plan.seed)
        self._run = uuid4().hex[:8]
        self._messages: dict[int, Message] = {}
        self._speakers = [
            (number % len(plan.urls), self._visitor(number % len(plan.urls), rooms, token))
            for number, (token, rooms) in enumerate(plan.speakers)
        ]
        self._readers = [
            (place, self._visitor(place, [room], ""))
            for room in sorted({room for _, rooms in plan.speakers for room in rooms})
            for place in range(len(plan.urls))
        ]
        for _, speaker in self._speakers:
            speaker.on_accepted = self._accepted
        for place, reader in self._readers:
            reader.on_message = self._teller(place)
        self._visitors = [visitor for _, visitor in (*self._speakers, *self._readers)]
        self._late_ms: list[float] = []
        self._lags_ms: list[float] = []

    async def chat(self, tell: Callable[[str], None]) -> dict[str, Any]:
        """What was said and heard; `tell` gets `ready` and `said`. Raises TimeoutError when it cannot begin."""
        staying = [asyncio.create_task(visitor.stay()) for visitor in self._visitors]
        try:
            async with asyncio.timeout(ENTERING_S):
                for visitor in self._visitors:
                    await visitor.present.wait()
            for visitor in self._visitors:
                visitor.away_s.clear()
            tell("ready")
            look = asyncio.create_task(self._look())
            cpu, began = _cpu_s(), time.monotonic()
            await self._speak()
            share = (_cpu_s() - cpu) / (time.monotonic() - began)
            look.cancel()
            tell("said")
            await self._all_heard()
        finally:
            for task in staying:
                task.cancel()
            await asyncio.gather(*staying, return_exceptions=True)
        return self._result() | {"cpu_share": round(share, 3)}

    def _visitor(self, place: int, rooms: list[str], token: str) -> Visitor:
        urls = self._plan.urls
        return Visitor([urls[place], *urls[:place], *urls[place + 1 :]], rooms, token, self._dice)

    async def _speak(self) -> None:
        began = time.monotonic()
        for number, (at_s, place, speaker, room) in enumerate(self._moments()):
            if number == self._plan.messages:
                return
            pause = began + at_s - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            self._late_ms.append((time.monotonic() - began - at_s) * 1000)
            self._messages[number] = Message(number, room, place, time.time())
            speaker.say(room, f"{number} {TEXT}", f"{self._run}-{number}")

    def _moments(self) -> Iterator[tuple[float, int, Visitor, str]]:
        """Without end: seconds from the beginning, at which URL who says something, and in which room."""
        turns = [(place, speaker, room) for place, speaker in self._speakers for room in speaker.heard]
        round_s = len(turns) / self._plan.rate
        start_s = 0.0
        while True:
            self._dice.shuffle(turns)
            times = sorted(self._dice.uniform(0, round_s) for _ in turns)
            for at_s, turn in zip(times, turns, strict=True):
                yield start_s + at_s, *turn
            start_s += round_s

    async def _look(self) -> None:
        """How late this very process is: what it measures is as much too long."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(LOOK_S)
            self._lags_ms.append((time.monotonic() - began - LOOK_S) * 1000)

    async def _all_heard(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not self._is_all_heard() and time.monotonic() < deadline:  # noqa: ASYNC110  # many futures would be worse
            await asyncio.sleep(0.1)
        await asyncio.sleep(SETTLE_S)

    def _is_all_heard(self) -> bool:
        said = Counter(message.room for message in self._messages.values() if message.id)
        return not any(speaker.unanswered for _, speaker in self._speakers) and all(
            len(ids) >= said[room] for visitor in self._visitors for room, ids in visitor.heard.items()
        )

    def _accepted(self, frame: dict[str, Any], now: float) -> None:
        message = self._messages[int(frame["id"].partition("-")[2])]
        message.id, message.accepted_at = frame["message_id"], now

    def _teller(self, place: int) -> Callable[[dict[str, Any], float], None]:
        def told(frame: dict[str, Any], now: float) -> None:
            self._messages[int(frame["content"].partition(" ")[0])].told[place] = now

        return told

    def _result(self) -> dict[str, Any]:
        heard: dict[str, list[list[str]]] = {}
        for visitor in self._visitors:
            for room, ids in visitor.heard.items():
                if ids not in heard.setdefault(room, []):
                    heard[room].append(ids)
        return {
            "messages": [asdict(message) for message in self._messages.values()],
            "heard": heard,
            "unanswered": sum(len(speaker.unanswered) for _, speaker in self._speakers),
            "views": sum(len(visitor.heard) for visitor in self._visitors),
            "refused": dict(sum((visitor.refused for visitor in self._visitors), Counter())),
            "troubles": dict(sum((visitor.troubles for visitor in self._visitors), Counter())),
            "away_s": [round(away, 3) for visitor in self._visitors for away in visitor.away_s],
            "late_ms": [round(late, 3) for late in self._late_ms],
            "lags_ms": [round(lag, 3) for lag in self._lags_ms],
        }


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    raise_limit()
    plan = Plan(**json.load(sys.stdin))
    crowd = uvloop.run(_chat(plan))
    print(json.dumps(crowd))


async def _chat(plan: Plan) -> dict[str, Any]:
    return await Crowd(plan).chat(lambda word: print(word, flush=True))


if __name__ == "__main__":
    main()

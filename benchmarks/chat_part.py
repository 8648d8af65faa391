"""A crowd at chat processes that may be killed meanwhile, and what it was told beside what the log says."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import IO, Any

import psutil

from benchmarks.chat_door import ChatDoor
from benchmarks.chat_log import Faults, Said, chat_ends, faults_of, said_between
from benchmarks.crowd import Plan
from topology.settings import Settings

BETWEEN_KILLS_S = (0.5, 3.0)
"""Once the killed process is ready again."""


@dataclass(frozen=True, slots=True)
class ChatPart:
    """`heard` is the crowd's result, `logged` the messages of the log meanwhile, each once."""

    heard: dict[str, Any]
    logged: list[Said]
    repeated: int
    """Appends that the log holds twice, which readers drop."""

    kills: int
    cpu_s: dict[str, float] = field(default_factory=dict)
    """CPU seconds by process, from the first message until everybody has heard the last."""

    @property
    def messages(self) -> list[dict[str, Any]]:
        """As the crowd said them: see `benchmarks.crowd.Message`."""
        said: list[dict[str, Any]] = self.heard["messages"]
        return said

    def unaccepted(self) -> int:
        """Messages that were refused."""
        return sum(not message["id"] for message in self.messages)

    def untraced(self) -> int:
        """Accepted messages that the log does not hold, with their text, in their room."""
        logged = {(said.id, said.room, int(said.text.partition(" ")[0])) for said in self.logged}
        return sum(
            (message["id"], message["room"], message["number"]) not in logged
            for message in self.messages
            if message["id"]
        )

    def faults(self) -> Faults:
        """Of all that all clients were told; what several were told alike counts once."""
        logged = defaultdict(list)
        for said in self.logged:
            logged[said.room].append(said.id)
        found = [faults_of(view, logged[room]) for room, views in self.heard["heard"].items() for view in views]
        return Faults(*map(sum, zip(*found, strict=True)))


def chat_part(
    settings: Settings,
    doors: Sequence[ChatDoor],
    plan: Plan,
    kills: random.Random | None = None,
    processes: Mapping[str, psutil.Process] | None = None,
) -> ChatPart:
    """Let the crowd chat; with `kills` a process chosen by it is killed now and then. Raises RuntimeError."""
    watched = dict(processes or {})
    starts = chat_ends(settings)
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.crowd"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as crowd:
        assert crowd.stdin is not None
        assert crowd.stdout is not None
        json.dump(asdict(plan), crowd.stdin)
        crowd.stdin.close()
        _expect("ready", crowd.stdout)
        before = _cpu_s(watched)
        killer = _Killer(doors, kills)
        killer.start()
        try:
            _expect("said", crowd.stdout)
        finally:
            killer.end()
        heard = json.loads(crowd.stdout.readline() or "null")
        used = _cpu_s(watched)
    if heard is None or killer.error is not None:
        raise RuntimeError(f"the crowd or a chat process did not come back: {killer.error}")
    if heard["unanswered"]:
        raise RuntimeError(f"{heard['unanswered']} messages are still not answered: the machine does not keep up")
    logged, repeated = said_between(settings, starts, chat_ends(settings))
    return ChatPart(heard, logged, repeated, killer.kills, {name: used[name] - before[name] for name in watched})


class _Killer(threading.Thread):
    def __init__(self, doors: Sequence[ChatDoor], dice: random.Random | None) -> None:
        super().__init__(name="killer")
        self.kills = 0
        self.error: Exception | None = None
        self._doors, self._dice = doors, dice
        self._over = threading.Event()

    def run(self) -> None:
        dice = self._dice
        try:
            while dice is not None and not self._over.wait(dice.uniform(*BETWEEN_KILLS_S)):
                door = dice.choice(self._doors)
                self.kills += 1
                door.wait(door.kill())
        except Exception as error:
            self.error = error

    def end(self) -> None:
        """Once what was killed is back."""
        self._over.set()
        self.join()


def _expect(word: str, output: IO[str]) -> None:
    if output.readline() != f"{word}\n":
        raise RuntimeError("the crowd could not begin, or go on")


def _cpu_s(processes: Mapping[str, psutil.Process]) -> dict[str, float]:
    times = {name: process.cpu_times() for name, process in processes.items()}
    return {name: used.user + used.system for name, used in times.items()}

"""Send → seen by another client, through Kafka, over 100 rooms, at 125 and 500 messages/s; then while chat processes
are killed.

The whole system runs on the same cores as the crowd, whose own lateness is in the figures and told beside them.
Speakers are ordinary users of five rooms each; every room has a reader without a token at each process. In the last
part there is a second chat process, and one chosen at random is killed (`kill -9`) again and again; clients come back,
to any process, with their cursors, and say again what was not answered. What each client was told is held against the
topic `chat`.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil

from benchmarks.chat_door import ChatDoor, second_door
from benchmarks.chat_part import ChatPart, chat_part
from benchmarks.crowd import Plan
from benchmarks.harness import Ratio, Report, percentile
from benchmarks.residents import settle
from benchmarks.stack import Stack, running_stack
from topology.ports import local_settings
from topology.secrets import Secrets
from topology.settings import Settings

ROOMS = 100
SPEAKERS = 200
ROOMS_EACH = 5
"""So that nobody comes near the 20 messages in 30 s that a viewer may say in a room."""

RATES = (125, 500)
RATE = RATES[-1]
WARM_UP_S = 10
SECONDS = 30
KILLING_S = 40
P50_MS, P99_MS = 15.0, 60.0

_ADMISSION = {"chat_connections_per_address": 20_000, "chat_joins_per_minute": 100_000}


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Both parts, on one system."""
    say("Starting a system of its own …")
    variables = {f"TALLY_{name.upper()}": str(value) for name, value in _ADMISSION.items()}
    with running_stack(variables) as stack, tempfile.TemporaryDirectory(prefix="tally-bench-") as beside:
        settings = settings_of(stack)
        speakers = asyncio.run(_speakers(settings))
        door = ChatDoor(stack.status["chat"], Path(stack.status["data"]))
        steady = {}
        for rate in RATES:
            say(f"{SPEAKERS} users; {rate} messages/s over {ROOMS} rooms for {WARM_UP_S} + {SECONDS} s …")
            plan = Plan([door.url], speakers, rate, rate * (WARM_UP_S + SECONDS), rate * WARM_UP_S, seed)
            steady[rate] = chat_part(settings, [door], plan, processes=_processes(stack))
        say(f"{RATE} messages/s at two processes for {KILLING_S} s, while they are killed …")
        with second_door(settings, Path(beside)) as second:
            plan = Plan([door.url, second.url], speakers, RATE, RATE * KILLING_S, 0, seed)
            killed = chat_part(settings, [door, second], plan, kills=random.Random(seed))
    figures = {f"steady_{rate}": _seen(part) | _kept(part) for rate, part in steady.items()}
    figures["killed"] = _kept(killed) | _returns(killed)
    return Report("chat", figures, _ratios(figures), seed)


def settings_of(stack: Stack) -> Settings:
    """As the system's own processes have them. Raises RuntimeError."""
    data = Path(stack.status["data"])
    secrets = Secrets.load(data)
    if secrets is None:
        raise RuntimeError("the system has no secrets")
    return secrets.apply(local_settings(data, stack.status["port_base"])).model_copy(update=_ADMISSION)


async def _speakers(settings: Settings) -> list[tuple[str, list[str]]]:
    """Tokens and rooms: a ring, in which neighbours share rooms."""
    residents = await settle(settings, SPEAKERS)
    rooms = [resident.id for resident in residents[:ROOMS]]
    return [
        (resident.token, [rooms[(number + step) % ROOMS] for step in range(ROOMS_EACH)])
        for number, resident in enumerate(residents)
    ]


def _processes(stack: Stack) -> dict[str, psutil.Process]:
    return {name: psutil.Process(state["pid"]) for name, state in stack.status["processes"].items()}


def _seen(part: ChatPart) -> dict[str, Any]:
    """Milliseconds, of the messages after the warm-up."""
    logged = {said.id: said for said in part.logged}
    warm = len(part.messages) * WARM_UP_S // (WARM_UP_S + SECONDS)
    timed = [message for message in part.messages[warm:] if message["id"] in logged]
    seen, to_command, to_event, to_seen = [], [], [], []
    for message in timed:
        said = logged[message["id"]]
        to_command.append(said.command_at - message["sent_at"])
        to_event.append(said.event_at - said.command_at)
        to_seen += [at - said.event_at for at in message["told"].values()]
        seen += [at - message["sent_at"] for at in message["told"].values()]
    return {
        **_ms("seen", seen),
        **_ms("accepted", (message["accepted_at"] - message["sent_at"] for message in timed)),
        **_ms("from_send_to_command", to_command),
        **_ms("from_command_to_event", to_event),
        **_ms("from_event_to_seen", to_seen),
        **_ms("generator_loop_lag", (lag / 1000 for lag in part.heard["lags_ms"])),
        **_ms("generator_said_late", (late / 1000 for late in part.heard["late_ms"])),
        "generator_cpu_share": part.heard["cpu_share"],
        "cpu_ms_per_message": {name: round(s * 1000 / len(part.messages), 3) for name, s in part.cpu_s.items()},
    }


def _ms(name: str, seconds: Iterable[float]) -> dict[str, float]:
    values = [each * 1000 for each in seconds]
    return {f"{name}_p{share}_ms": round(percentile(values, share / 100), 2) for share in (50, 99)}


def _kept(part: ChatPart) -> dict[str, Any]:
    """What became of the messages. A view is a room as one client was told it."""
    return {
        "messages": len(part.messages),
        "logged": len(part.logged),
        "views": part.heard["views"],
        "unaccepted": part.unaccepted(),
        "untraced": part.untraced(),
        **part.faults()._asdict(),
        "repeated_in_the_log": part.repeated,
        "refused": part.heard["refused"],
        "troubles": part.heard["troubles"],
    }


def _returns(part: ChatPart) -> dict[str, Any]:
    away = part.heard["away_s"]
    return {"kills": part.kills, "returns": len(away), **(_ms("away", away) if away else {})}


def _ratios(figures: dict[str, Any]) -> dict[str, Ratio]:
    ratios = {}
    for rate in RATES:
        seen = figures[f"steady_{rate}"]
        ratios[f"seen_p50_ms_at_{rate}"] = Ratio(seen["seen_p50_ms"], P50_MS, "<=")
        ratios[f"seen_p99_ms_at_{rate}"] = Ratio(seen["seen_p99_ms"], P99_MS, "<=")
    ratios["kills"] = Ratio(figures["killed"]["kills"], 3, ">=")
    for part, kept in figures.items():
        for fault in ("unaccepted", "untraced", "lost", "twice", "unknown", "out_of_order"):
            ratios[f"{fault}_{part}"] = Ratio(kept[fault], 0, "<=")
    return ratios

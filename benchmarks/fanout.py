"""One message to all of a room: our chat process, the `websockets` library's broadcast(), and a Go centrifuge server.

Each server has a core to itself, and all else the others. Ours gets its messages by Kafka, as ever, and each delivery
is traced to its event; the peers make theirs themselves. Deliveries per core are the deliveries over the CPU seconds
of the server's process, so that what the clients cost does not count. A server that falls behind joins more messages
to a write and so costs less a delivery: compare it together with the latencies.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
from confluent_kafka import Producer

from benchmarks.account import Account
from benchmarks.harness import Ratio, Report, percentile
from benchmarks.stack import Stack, accepts, running_stack
from commands.identity import new_id
from query_api.chat.fragments import fragments_of
from query_api.chat.frames import Badge, MessageShown, User
from schemas.events.chat import MessageSent
from schemas.wire import Codec
from topology.kafka import producer_config
from topology.ports import free_row
from topology.settings import Settings

SECONDS = 10
SHAPES = ((5_000, 40), (1_000, 20), (9_900, 4))
"""Connections and messages a second."""

CENTRIFUGE = "github.com/centrifugal/centrifuge@v0.40.1"
BAR = 1.0
START_S = 60.0
TEXT = "what is said in a chat is seldom long, and this is about as long as it gets"
NAME = "§<number> <time>§"
"""Who says it: what the listeners look for, in the one place of a frame that no other repeats."""

_SOURCE = Path(__file__).parent / "centrifuge" / "main.go"


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs: `say` makes it say so many messages at so many a second, and returns when it was told to."""

    process: psutil.Process
    url: str
    opening: tuple[str, ...]
    say: Callable[[int, float], None]


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Every server in every shape."""
    core, others = _cores()
    os.sched_setaffinity(0, others)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as directory:
        program = _centrifuge(Path(directory), say)
        peers = {"websockets": [sys.executable, "-m", "benchmarks.broadcaster"]} | (
            {"centrifuge": [program]} if program else {}
        )
        say("Starting a system of its own …")
        with running_stack(_SETTINGS) as stack:
            for connections, rate in SHAPES:
                shape = f"{connections}x{rate}"
                say(f"{shape}: tally …")
                with _tally(stack, core) as server:
                    figures[f"tally_{shape}"] = _measure(server, connections, rate)
                for name, command in peers.items():
                    say(f"{shape}: {name} …")
                    with _peer(command, core) as server:
                        figures[f"{name}_{shape}"] = _measure(server, connections, rate)
    return Report("fanout", figures, _ratios(figures), seed)


_SETTINGS = {
    "TALLY_CHAT_CONNECTIONS": "20000",
    "TALLY_CHAT_CONNECTIONS_PER_ADDRESS": "20000",
    "TALLY_CHAT_JOINS_PER_MINUTE": "100000",
    "TALLY_RECORDINGS": "false",
}


def _cores() -> tuple[int, set[int]]:
    """The server's, and all others. Raises RuntimeError."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise RuntimeError("a server and its clients need a core each")
    return usable[0], set(usable[1:])


def _ratios(figures: dict[str, Any]) -> dict[str, Ratio]:
    ratios = {}
    for connections, rate in SHAPES:
        shape = f"{connections}x{rate}"
        ours = figures[f"tally_{shape}"]
        ratios[f"told_{shape}"] = Ratio(ours["told_share"], 1.0, ">=")
        for peer in ("centrifuge", "websockets"):
            theirs = figures.get(f"{peer}_{shape}")
            if theirs is not None:
                per_core = ours["deliveries_per_core_s"] / theirs["deliveries_per_core_s"]
                ratios[f"per_core_over_{peer}_{shape}"] = Ratio(per_core, BAR, ">=")
    return ratios


def _measure(server: Server, connections: int, rate: float) -> dict[str, Any]:
    messages = int(rate * SECONDS)
    before = server.process.memory_info().rss
    command = [sys.executable, "-m", "benchmarks.listeners", server.url, str(connections), str(messages)]
    with subprocess.Popen([*command, *server.opening], stdout=subprocess.PIPE, text=True) as listeners:
        assert listeners.stdout is not None
        if listeners.stdout.readline() != "ready\n":
            raise RuntimeError("the listeners could not connect")
        held = server.process.memory_info().rss - before
        cpu, began = _cpu_s(server.process), time.time()
        server.say(messages, rate)
        heard = json.loads(listeners.stdout.readline())
        cpu = _cpu_s(server.process) - cpu
    if heard["orders"] != [list(range(messages))]:
        raise RuntimeError(f"not every message was told once and in order: {heard['told_each']} of {messages}")
    deliveries = connections * messages
    return {
        "deliveries": heard["told"],
        "told_share": heard["told"] / deliveries,
        "deliveries_per_s": round(deliveries / (heard["last_at"] - began)),
        "deliveries_per_core_s": round(deliveries / cpu),
        "cpu_us_per_delivery": round(cpu / deliveries * 1e6, 2),
        "p50_ms": percentile(heard["latencies_ms"], 0.50),
        "p99_ms": percentile(heard["latencies_ms"], 0.99),
        "kib_per_connection": round(held / connections / 1024, 1),
    }


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def _tally(stack: Stack, core: int) -> Iterator[Server]:
    """A room of its own in the stack's chat process, which is started anew so that its memory is a fresh one's."""
    old = _chat(stack)["pid"]
    psutil.Process(old).terminate()
    process = _restarted(stack, old)
    process.cpu_affinity([core])
    channel = asyncio.run(_channel(stack.status["edge"]))
    settings = Settings(kafka_bootstrap=stack.status["kafka"], schema_registry_url=stack.status["schema_registry"])
    join = json.dumps({"type": "join", "room_id": channel})
    with closing(Codec(settings.schema_registry_url)) as codec:
        producer = Producer(producer_config(settings))

        def say(messages: int, rate: float) -> None:
            began = time.monotonic()
            for number in range(messages):
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
                event = _event(channel, number)
                producer.produce(event.topic, codec.encode(event), event.key)
                producer.poll(0)
            if producer.flush(30):
                raise RuntimeError("Kafka did not take every event")

        codec.encode(_event(channel, 0))
        yield Server(process, stack.status["chat"], (join,), say)


def _restarted(stack: Stack, old_pid: int) -> psutil.Process:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        state = _chat(stack)
        if state["pid"] not in (None, old_pid) and state["state"] == "ready":
            return psutil.Process(state["pid"])
        time.sleep(0.5)
    raise RuntimeError("the chat process did not come back")


def _chat(stack: Stack) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(stack.tally("status", "--json").stdout)["processes"]["chat"]
    return state


async def _channel(edge: str) -> str:
    async with httpx.AsyncClient(base_url=edge, timeout=30) as http:
        return (await Account.register(http)).user_id


def _event(channel: str, number: int) -> MessageSent:
    return MessageSent(
        type="MessageSent",
        event_id=new_id(),
        occurred_at=datetime.now(UTC),
        actor="1",
        correlation_id=new_id(),
        channel_id=channel,
        message_id=new_id(),
        sender_id="1",
        sender_login="somebody",
        sender_name=NAME.replace("<number>", str(number)).replace("<time>", str(time.time_ns())),
        text=TEXT,
        badges=["subscriber/3"],
    )


@contextmanager
def _peer(command: list[str], core: int) -> Iterator[Server]:
    """A server that says what it is told on its standard input."""
    port = free_row(1)
    process = subprocess.Popen([*command, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    known = psutil.Process(process.pid)
    try:
        deadline = time.monotonic() + START_S
        while not accepts(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not listen")
            time.sleep(0.1)
        for thread in known.threads():
            os.sched_setaffinity(thread.id, {core})
        tell = process.stdin

        def say(messages: int, rate: float) -> None:
            tell.write(f"{messages} {rate} {_payload()}\n")
            tell.flush()

        yield Server(known, f"ws://127.0.0.1:{port}/ws", ('{"id":1,"connect":{}}',), say)
    finally:
        process.terminate()
        process.wait(30)


def _payload() -> str:
    """What our socket would say."""
    return (
        MessageShown(
            room_id="1",
            cursor="0:1000:1000",
            id=new_id(),
            user=User(id="1", login="somebody", name=NAME),
            content=TEXT,
            timestamp=datetime.now(UTC),
            badges=[Badge(set_id="subscriber", id="3")],
            color="#008000",
            fragments=fragments_of(TEXT, ""),
        )
        .to_json()
        .decode()
    )


def _centrifuge(directory: Path, say: Callable[[str], None]) -> str | None:
    """The Go server, built; None where there is no Go or no module."""
    go = shutil.which("go")
    if go is None:
        say("There is no Go toolchain: centrifuge is left out.")
        return None
    shutil.copy(_SOURCE, directory)
    for arguments in (("mod", "init", "bench"), ("get", CENTRIFUGE), ("mod", "tidy"), ("build", "-o", "centrifuge")):
        done = subprocess.run([go, *arguments], cwd=directory, capture_output=True, text=True, check=False)
        if done.returncode:
            say(f"centrifuge is left out: go {arguments[0]}: {done.stderr[-500:]}")
            return None
    return str(directory / "centrifuge")

"""Said until heard, through Kafka, in a room of a chat process: left alone, and under everything that strangers do."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.account import Account
from benchmarks.harness import Ratio, Report, percentile
from benchmarks.stack import running_stack

SPEAKERS = 12
EACH = 20
EVERY_S = 2.0
"""So many messages of each speaker, so far apart: a viewer may send 20 in 30 s."""
WARM_UP_S = 3.0
MOST_MS = 60.0
"""What a message may take at the 99th percentile."""


def run(seed: int, say: Callable[[str], None]) -> Report:
    with running_stack() as stack:
        return asyncio.run(_measured(stack.status, seed, say))


async def _measured(status: dict[str, Any], seed: int, say: Callable[[str], None]) -> Report:
    async with httpx.AsyncClient(base_url=status["edge"], timeout=60) as http:
        room, loud, *speakers = [await Account.register(http) for _ in range(SPEAKERS + 2)]
    figures: dict[str, Any] = {}
    say("Left alone …")
    figures["calm"] = await _talk(status["chat"], room.user_id, speakers)
    say("Besieged …")
    irc_port = status["irc"].rpartition(":")[2]
    command = [sys.executable, "-m", "benchmarks.besiegers", status["chat"], irc_port, room.user_id, _token(loud)]
    besiegers = await asyncio.create_subprocess_exec(*command)
    try:
        await asyncio.sleep(WARM_UP_S)
        figures["besieged"] = await _talk(status["chat"], room.user_id, speakers)
        if besiegers.returncode is not None:
            raise RuntimeError("the besiegers went away")
    finally:
        besiegers.terminate()
        await besiegers.wait()
    ratios = {
        f"{name}_p99_over_{MOST_MS:.0f}_ms": Ratio(told["p99_ms"] / MOST_MS, 1.0, "<=")
        for name, told in figures.items()
    }
    return Report("siege", figures, ratios, seed)


def _token(account: Account) -> str:
    return account.headers["Authorization"].partition(" ")[2]


async def _talk(url: str, room_id: str, speakers: list[Account]) -> dict[str, float]:
    """Each has an address of its own, also who listens. Raises RuntimeError where a message is missing."""
    said: dict[str, float] = {}
    heard: dict[str, float] = {}
    async with AsyncExitStack() as stack:
        listener = await _entered(stack, url, room_id, "203.0.113.1", None)
        voices = [
            await _entered(stack, url, room_id, f"198.51.100.{number}", _token(speaker))
            for number, speaker in enumerate(speakers)
        ]
        listening = asyncio.create_task(_listen(listener, heard))
        tasks = [
            asyncio.create_task(
                _speak(voice, room_id, f"speaker {number} {time.time_ns()}", number / SPEAKERS * EVERY_S, said)
            )
            for number, voice in enumerate(voices)
        ]
        await asyncio.gather(*tasks)
        await asyncio.sleep(EVERY_S)
        listening.cancel()
    missing = said.keys() - heard.keys()
    if missing:
        raise RuntimeError(f"{len(missing)} of {len(said)} messages were not heard")
    latencies = [(heard[text] - at) * 1000 for text, at in said.items()]
    return {"messages": len(said), "p50_ms": percentile(latencies, 0.5), "p99_ms": percentile(latencies, 0.99)}


async def _entered(stack: AsyncExitStack, url: str, room_id: str, address: str, token: str | None) -> ClientConnection:
    headers = {"X-Forwarded-For": address}
    opening = connect(url, proxy=None, additional_headers=headers, max_queue=None, ping_interval=None)
    connection = await stack.enter_async_context(opening)
    await connection.send(json.dumps({"type": "join", "room_id": room_id} | ({"token": token} if token else {})))
    if json.loads(await connection.recv())["type"] != "joined":
        raise RuntimeError("the room cannot be entered")
    return connection


async def _listen(connection: ClientConnection, heard: dict[str, float]) -> None:
    async for payload in connection:
        now = time.monotonic()
        frame = json.loads(payload)
        if frame["type"] == "message":
            heard[frame["content"]] = now


async def _speak(connection: ClientConnection, room_id: str, name: str, first_s: float, said: dict[str, float]) -> None:
    """A message that was not sent does not count: the room may be slowed for its speaker, never for who listens."""
    await asyncio.sleep(first_s)
    for number in range(EACH):
        text = f"{name} says {number}"
        began = time.monotonic()
        await connection.send(json.dumps({"type": "message", "room_id": room_id, "content": text, "id": str(began)}))
        while (frame := json.loads(await connection.recv()))["type"] not in ("accepted", "error"):
            pass
        if frame["type"] == "error":
            raise RuntimeError(f"{name} may not speak: {frame['text']}")
        said[text] = began
        await asyncio.sleep(max(0.0, began + EVERY_S - time.monotonic()))

"""Command → readable in the query API: a follow (transactions) and a chat message (none), over REST, p50 and p99."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from benchmarks.account import Account
from benchmarks.harness import Report, percentile
from benchmarks.stack import running_stack
from schemas.consistency import HEADER

SAMPLES = 200
"""Round trips of each kind, one after another: latency, not throughput."""

WARM_UP = 20
VIEWERS = 12
"""Who speak in turn: twenty chat messages in thirty seconds are the field's limit for a viewer."""


async def _timed(act: Callable[[], Awaitable[httpx.Response]], read: Callable[[str], Awaitable[Any]]) -> list[float]:
    """Milliseconds until the command was acknowledged, and until its effect was read."""
    began = time.perf_counter()
    answer = await act()
    answer.raise_for_status()
    acknowledged = time.perf_counter()
    await read(answer.headers[HEADER])
    return [(acknowledged - began) * 1000, (time.perf_counter() - began) * 1000]


async def _measure(edge: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=edge, timeout=30) as http:
        streamer, *viewers = [await Account.register(http) for _ in range(1 + VIEWERS)]
        channel = streamer.user_id
        viewer = viewers[0]

        async def follow_or_leave(turn: int) -> list[float]:
            act = viewer.follow if turn % 2 == 0 else viewer.unfollow
            return await _timed(
                lambda: act(channel), lambda token: viewer.read("/helix/channels/followers", channel, token)
            )

        async def say(turn: int) -> list[float]:
            return await _timed(
                lambda: viewers[turn % VIEWERS].say(channel, f"message {turn}"),
                lambda token: viewer.read("/helix/chat/messages", channel, token),
            )

        figures: dict[str, Any] = {"samples": SAMPLES}
        for name, once in (("with_transactions", follow_or_leave), ("without_transactions", say)):
            times = [await _paced(once, turn) for turn in range(WARM_UP + SAMPLES)][WARM_UP:]
            for part, column in (("acknowledged", 0), ("readable", 1)):
                values = [pair[column] for pair in times]
                figures[f"{name}_{part}_p50_ms"] = round(percentile(values, 0.50), 2)
                figures[f"{name}_{part}_p99_ms"] = round(percentile(values, 0.99), 2)
        return figures


async def _paced(once: Callable[[int], Awaitable[list[float]]], turn: int) -> list[float]:
    # The edge answers 429 beyond its own limit.
    await asyncio.sleep(0.05)
    return await once(turn)


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Start a system and time both kinds of command through the public edge."""
    say("Starting a system of its own …")
    with running_stack() as stack:
        say(f"{SAMPLES} round trips of each kind …")
        return Report("commands", asyncio.run(_measure(stack.status["edge"])), seed=seed)

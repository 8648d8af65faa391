"""Command → readable in the query API: a follow (transactions) and a chat message (none), over REST, p50 and p99."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.harness import Report, percentile
from benchmarks.stack import running_stack
from schemas.consistency import HEADER

SAMPLES = 200
"""Round trips of each kind, one after another: latency, not throughput."""

WARM_UP = 20
PASSWORD = "benchmark-password"


class Client:
    """A user of the REST API, signed in."""

    def __init__(self, http: httpx.AsyncClient, user_id: str, token: str) -> None:
        self.http, self.user_id = http, user_id
        self.headers = {"Authorization": f"Bearer {token}"}

    @classmethod
    async def register(cls, http: httpx.AsyncClient) -> Client:
        login = f"bench_{uuid4().hex[:12]}"
        made = await http.post("/accounts", json={"login": login, "password": PASSWORD})
        made.raise_for_status()
        granted = await http.post(
            "/oauth2/token", data={"grant_type": "password", "username": login, "password": PASSWORD}
        )
        granted.raise_for_status()
        return cls(http, made.json()["data"][0]["id"], granted.json()["access_token"])

    async def follow(self, channel: str) -> httpx.Response:
        return await self.http.post(
            "/helix/channels/followers", params={"broadcaster_id": channel}, headers=self._fresh()
        )

    async def unfollow(self, channel: str) -> httpx.Response:
        return await self.http.delete(
            "/helix/channels/followers", params={"broadcaster_id": channel}, headers=self._fresh()
        )

    async def say(self, channel: str, text: str) -> httpx.Response:
        body = {"broadcaster_id": channel, "sender_id": self.user_id, "message": text}
        return await self.http.post("/helix/chat/messages", json=body, headers=self._fresh())

    async def read(self, path: str, channel: str, token: str) -> dict[str, Any]:
        answer = await self.http.get(
            path, params={"broadcaster_id": channel, "first": 1}, headers=self.headers | {HEADER: token}
        )
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def _fresh(self) -> dict[str, str]:
        return self.headers | {"Idempotency-Key": uuid4().hex}


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
        streamer, viewer = await Client.register(http), await Client.register(http)
        channel = streamer.user_id

        async def follow_or_leave(turn: int) -> list[float]:
            act = viewer.follow if turn % 2 == 0 else viewer.unfollow
            return await _timed(
                lambda: act(channel), lambda token: viewer.read("/helix/channels/followers", channel, token)
            )

        async def say(turn: int) -> list[float]:
            return await _timed(
                lambda: viewer.say(channel, f"message {turn}"),
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
    # Twenty chat messages in thirty seconds is the field's limit for a viewer; the edge answers 429 beyond its own.
    await asyncio.sleep(0.05)
    return await once(turn)


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Start a system and time both kinds of command through the public edge."""
    say("Starting a system of its own …")
    with running_stack() as stack:
        say(f"{SAMPLES} round trips of each kind …")
        return Report("commands", asyncio.run(_measure(stack.status["edge"])), seed=seed)

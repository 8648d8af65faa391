"""Users who act over REST while things die, and who remember exactly what was acknowledged."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

PASSWORD = "of-tests-only"
RETRY_S = 0.5
GIVE_UP_S = 180.0


@dataclass
class User:
    """Someone signed in."""

    http: httpx.AsyncClient
    id: str
    login: str
    token: str

    async def ask(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """One request until it is answered for good: a client repeats it with the same key over any outage."""
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": uuid4().hex}
        return await persistent(self.http, method, path, headers=headers, **parts)


async def persistent(http: httpx.AsyncClient, method: str, path: str, **parts: Any) -> httpx.Response:
    """Repeat a request until something else than an outage answers. Raises TimeoutError."""
    async with asyncio.timeout(GIVE_UP_S):
        while True:
            try:
                answer = await http.request(method, path, **parts)
            except httpx.TransportError:
                pass
            else:
                if answer.status_code < 500 and answer.status_code != 429:
                    return answer
            await asyncio.sleep(RETRY_S)


async def new_user(http: httpx.AsyncClient) -> User:
    """Register and sign in."""
    login = f"t_{uuid4().hex[:16]}"
    made = await persistent(http, "POST", "/accounts", json={"login": login, "password": PASSWORD})
    assert made.status_code == 201, made.text
    form = {"grant_type": "password", "username": login, "password": PASSWORD}
    granted = await persistent(http, "POST", "/oauth2/token", data=form)
    assert granted.status_code == 200, granted.text
    return User(http, made.json()["data"][0]["id"], login, granted.json()["access_token"])


@dataclass
class Acknowledged:
    """What the edge said had happened."""

    messages: list[str] = field(default_factory=list)
    donations: dict[str, int] = field(default_factory=dict)
    followers: set[str] = field(default_factory=set)


@dataclass
class Load:
    """Several users act on one channel, each one thing after another, in an order that a seed decides."""

    channel: User
    users: list[User]
    seed: int
    done: Acknowledged = field(default_factory=Acknowledged)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Act until the block ends; what is under way then is finished."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for number, user in enumerate(self.users):
                group.create_task(self._act(user, random.Random(self.seed + number), stop))
            try:
                yield
            finally:
                stop.set()

    async def _act(self, user: User, dice: random.Random, stop: asyncio.Event) -> None:
        while not stop.is_set():
            match dice.randrange(4):
                case 0 | 1:
                    await self._say(user)
                case 2:
                    await self._give(user, dice.randrange(100, 5000))
                case 3:
                    await self._follow_or_leave(user)
            await asyncio.sleep(0.2)

    async def _say(self, user: User) -> None:
        body = {"broadcaster_id": self.channel.id, "sender_id": user.id, "message": f"hello {uuid4().hex}"}
        answer = await user.ask("POST", "/helix/chat/messages", json=body)
        assert answer.status_code == 200, answer.text
        (said,) = answer.json()["data"]
        if said["is_sent"]:
            self.done.messages.append(said["message_id"])
        else:
            assert said["drop_reason"]["code"] == "msg_ratelimit", answer.text

    async def _give(self, user: User, amount: int) -> None:
        body = {"broadcaster_id": self.channel.id, "amount": {"value": amount, "currency": "EUR"}, "message": "thanks"}
        answer = await user.ask("POST", "/helix/donations", json=body)
        assert answer.is_success, answer.text
        self.done.donations[answer.json()["data"][0]["id"]] = amount

    async def _follow_or_leave(self, user: User) -> None:
        follows = user.id in self.done.followers
        method = "DELETE" if follows else "POST"
        answer = await user.ask(method, "/helix/channels/followers", params={"broadcaster_id": self.channel.id})
        assert answer.is_success, answer.text
        self.done.followers ^= {user.id}

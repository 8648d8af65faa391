"""A user of the REST API, as benchmarks need one."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from schemas.consistency import HEADER

PASSWORD = "benchmark-password"


class Account:
    """A user of the REST API, signed in."""

    def __init__(self, http: httpx.AsyncClient, user_id: str, token: str) -> None:
        self.http, self.user_id = http, user_id
        self.headers = {"Authorization": f"Bearer {token}"}

    @classmethod
    async def register(cls, http: httpx.AsyncClient) -> Account:
        login = f"bench_{uuid4().hex[:12]}"
        made = await http.post("/accounts", json={"login": login, "password": PASSWORD})
        made.raise_for_status()
        granted = await http.post(
            "/oauth2/token", data={"grant_type": "password", "username": login, "password": PASSWORD}
        )
        granted.raise_for_status()
        return cls(http, made.json()["data"][0]["id"], granted.json()["access_token"])

    async def new_stream_key(self) -> str:
        made = await self.http.post("/helix/streams/key", headers=self._fresh())
        made.raise_for_status()
        key: str = made.json()["data"][0]["stream_key"]
        return key

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

"""All chat processes, asked as one: each knows only who is connected to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx
import structlog
from pydantic import BaseModel, ValidationError

from query_api.chat.chatters import Chatter, inner_secret
from query_api.errors import unavailable
from topology.settings import Settings

ANSWER_S = 2.0

log = structlog.get_logger(__name__)


class Present(NamedTuple):
    """Who is in a room. `total` counts a user once for each process that they are connected to."""

    chatters: list[Chatter]
    total: int


class _Answer(BaseModel):
    total: int
    chatters: list[Chatter]


class ChatProcesses:
    """A process that cannot be connected to is not there, and neither is anybody in it. One that is there and does not
    answer makes the whole answer fail: a list that lacks some of its people looks like one that is complete, and bots
    give and take by it. Twitch's clients know 503 as a thing to try again.
    """

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._addresses = addresses_of(settings)
        self._http = http
        self._headers = {"Authorization": f"Bearer {inner_secret(settings)}"}

    async def chatters(self, channel_id: str, first: int, after: str = "") -> Present:
        """Up to `first` by login, from behind the login `after` on. Raises ApiError 503."""
        asked = [self._ask(address, channel_id, first, after) for address in self._addresses]
        answers = [answer for answer in await asyncio.gather(*asked) if answer is not None]
        if not answers:
            raise unavailable("No chat process is running, so nobody is in any chat. Try again later.")
        merged = {chatter.login: chatter for answer in answers for chatter in answer.chatters}
        ordered = sorted(merged.values(), key=lambda chatter: chatter.login)
        return Present(ordered[:first], sum(answer.total for answer in answers))

    async def _ask(self, address: str, channel_id: str, first: int, after: str) -> _Answer | None:
        """None where there is no process."""
        try:
            answer = await self._http.get(
                f"{address}/chatters/{channel_id}", params={"first": first, "after": after}, headers=self._headers
            )
            return _Answer.model_validate_json(answer.raise_for_status().content)
        except httpx.ConnectError as error:
            log.warning("no chat process there", address=address, error=str(error))
            return None
        except (httpx.HTTPError, ValidationError) as error:
            log.error("a chat process does not say who is there", address=address, error=repr(error))
            raise unavailable("A chat process does not answer, so it is not known who is there. Try again.") from error


def addresses_of(settings: Settings) -> list[str]:
    """Where chat processes answer over HTTP."""
    listed = [address.strip().rstrip("/") for address in settings.chat_processes.split(",") if address.strip()]
    return listed or [f"http://127.0.0.1:{settings.chat_port}"]


@asynccontextmanager
async def chat_processes(settings: Settings) -> AsyncIterator[ChatProcesses]:
    async with httpx.AsyncClient(timeout=ANSWER_S, trust_env=False) as http:
        yield ChatProcesses(settings, http)

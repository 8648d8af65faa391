"""Who is in a chat, of an edge that asks two real chat processes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from tests.engines import answers, free_ports
from tests.query_api.asking import appoint, as_moderator, refused
from tests.query_api.chatting import Chat
from tests.query_api.conftest import PASSWORD, Edge, Member, process
from tests.query_api.test_chat_process import visiting

pytestmark = pytest.mark.stack

PATH = "/helix/chat/chatters"


@dataclass
class Town:
    """An edge of its own and the chat processes that it knows."""

    client: httpx.Client
    chats: list[Chat]

    def ask(self, who: Member, channel: Member, seen: str = "", **more: Any) -> httpx.Response:
        here = replace(who, client=self.client)
        return here.ask("GET", PATH, params=as_moderator(who, channel, **more), after=seen)


@pytest.fixture(scope="module")
def town(edge: Edge) -> Iterator[Town]:
    port, *chat_ports = free_ports(5)
    doors = list(zip(chat_ports[:2], chat_ports[2:], strict=True))
    settings = edge.settings.model_copy(
        update={
            "edge_port": port,
            "chat_processes": ",".join(f"http://127.0.0.1:{chat_port}" for chat_port, _ in doors),
        }
    )
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        stack.enter_context(process("query_api", settings, lambda: answers(f"{url}/health/ready")))
        chats = []
        for chat_port, irc_port in doors:
            own = {"chat_port": chat_port, "irc_port": irc_port, "chat_url": f"ws://127.0.0.1:{chat_port}/ws"}
            chat = Chat.started(settings.model_copy(update=own))
            stack.callback(chat.stop)
            chats.append(chat)
        yield Town(stack.enter_context(httpx.Client(base_url=url, timeout=30)), chats)


def logins(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [shown["user_login"] for shown in answer.json()["data"]]


async def test_a_moderator_sees_the_people_of_both_processes(town: Town, edge: Edge) -> None:
    owner, moderator = edge.register(), edge.register(display_name="The Moderator")
    appointed = appoint(owner, moderator)
    one, other = town.chats
    async with (
        visiting(one, owner, owner) as first,
        visiting(other, owner, moderator) as second,
        visiting(other, owner) as nameless,
    ):
        for visitor in (first, second, nameless):
            await visitor.until("joined")
        answer = await asyncio.to_thread(town.ask, moderator, owner, appointed)
        assert sorted([owner.login, moderator.login]) == logins(answer)
        assert answer.json()["total"] == 2
        assert {"user_id": moderator.id, "user_login": moderator.login, "user_name": "The Moderator"} in answer.json()[
            "data"
        ]

        page = await asyncio.to_thread(town.ask, owner, owner, first=1)
        after = page.json()["pagination"]["cursor"]
        rest = await asyncio.to_thread(town.ask, owner, owner, first=1, after=after)
        assert logins(page) + logins(rest) == logins(answer)
        assert rest.json()["pagination"] == {}


async def test_whoever_left_is_not_there(town: Town, edge: Edge) -> None:
    owner = edge.register()
    async with visiting(town.chats[0], owner, owner) as visitor:
        await visitor.until("joined")
    async with asyncio.timeout(60):
        while logins(await asyncio.to_thread(town.ask, owner, owner)):  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.05)


def test_only_who_moderates_in_their_own_name_and_with_the_scope_is_told(town: Town, edge: Edge) -> None:
    owner, viewer = edge.register(), edge.member("bob")
    assert refused(town.ask(viewer, owner)) == (403, "unauthorised")
    as_owner = as_moderator(owner, owner)
    assert refused(replace(viewer, client=town.client).ask("GET", PATH, params=as_owner))[0] == 403
    assert town.client.get(PATH, params=as_owner).status_code == 401
    form = {"grant_type": "password", "username": owner.login, "password": PASSWORD, "scope": "moderation:read"}
    token = edge.client.post("/oauth2/token", data=form).json()["access_token"]
    assert refused(town.ask(replace(owner, token=token), owner))[0] == 403


@pytest.mark.parametrize("query", [{"first": 0}, {"first": 1_001}, {"after": "nowhere"}])
def test_a_page_that_is_none_is_refused(town: Town, edge: Edge, query: dict[str, Any]) -> None:
    owner = edge.member("ada")
    assert refused(town.ask(owner, owner, **query))[0] == 400


@pytest.mark.faults
async def test_a_killed_process_takes_its_people_along_and_is_asked_again_when_it_is_back(
    town: Town, edge: Edge
) -> None:
    owner = edge.register()
    one, other = town.chats
    async with visiting(one, owner, owner) as visitor:
        await visitor.until("joined")
        other.kill_and_restart()
        assert logins(await asyncio.to_thread(town.ask, owner, owner)) == [owner.login]
    await asyncio.to_thread(other.wait)
    async with visiting(other, owner, owner) as visitor:
        await visitor.until("joined")
        assert logins(await asyncio.to_thread(town.ask, owner, owner)) == [owner.login]

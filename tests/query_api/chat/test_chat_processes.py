"""Who is in a chat, asked of several processes: rooms with their doors open, each knowing its own people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from query_api.chat.limits import Limits
from query_api.chat_processes import ChatProcesses, chat_processes
from query_api.errors import ApiError
from tests.engines import free_ports
from tests.query_api.chat.clients import IrcClient
from tests.query_api.chat.test_json_socket import ADA
from tests.query_api.chat.town import PEPPER, Doors, Town, opened
from topology.settings import Settings

PEOPLE = ("ada", "bob", "cleo", "dora", "eve")


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def process(stack: AsyncExitStack, *present: str) -> str:
    """The address of a process with these people in ada's room."""
    town = Town(Limits())
    town.register(*PEOPLE)
    doors: Doors = await stack.enter_async_context(opened(town))
    for login in present:
        client = await IrcClient.open(doors, login)
        stack.push_async_callback(client.close)
        await client.join("ada", ADA)
        await client.until("ROOMSTATE")
    return f"http://127.0.0.1:{doors.socket_port}"


async def asking(stack: AsyncExitStack, *addresses: str) -> ChatProcesses:
    return await stack.enter_async_context(
        chat_processes(Settings(pepper=PEPPER, chat_processes=" , ".join(addresses)))
    )


async def test_the_people_of_all_processes_come_by_login_and_once(stack: AsyncExitStack) -> None:
    asked = await asking(stack, await process(stack, "eve", "bob"), await process(stack, "ada", "bob"))
    present = await asked.chatters(ADA, 10)
    assert [one.login for one in present.chatters] == ["ada", "bob", "eve"]
    assert present.total == 4


async def test_pages_go_on_across_processes_without_a_gap(stack: AsyncExitStack) -> None:
    asked = await asking(stack, await process(stack, "ada", "cleo", "eve"), await process(stack, "bob", "dora"))
    seen, after = [], ""
    while page := (await asked.chatters(ADA, 2, after)).chatters:
        seen += [one.login for one in page]
        after = page[-1].login
    assert seen == list(PEOPLE)


async def test_a_process_that_is_not_there_has_nobody(stack: AsyncExitStack) -> None:
    (nobody,) = free_ports(1)
    asked = await asking(stack, await process(stack, "bob"), f"http://127.0.0.1:{nobody}")
    assert [one.login for one in (await asked.chatters(ADA, 10)).chatters] == ["bob"]


async def test_without_any_process_it_is_not_said_that_nobody_is_there(stack: AsyncExitStack) -> None:
    asked = await asking(stack, *(f"http://127.0.0.1:{port}" for port in free_ports(2)))
    with pytest.raises(ApiError, match="No chat process") as refused:
        await asked.chatters(ADA, 10)
    assert refused.value.status == 503


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"SSH-2.0-OpenSSH\r\n",
    ],
    ids=["silence", "another pepper", "another answer", "another protocol"],
)
async def test_a_process_that_does_not_say_makes_all_unknown(
    stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr("query_api.chat_processes.ANSWER_S", 0.5)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stack.callback(server.close)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    asked = await asking(stack, await process(stack, "bob"), address)
    with pytest.raises(ApiError, match="not known who is there") as refused:
        await asked.chatters(ADA, 10)
    assert refused.value.status == 503
    assert "Retry-After" in refused.value.headers


async def test_the_process_of_this_machine_is_asked_unless_others_are_named(stack: AsyncExitStack) -> None:
    address = await process(stack, "bob")
    settings = Settings(pepper=PEPPER, chat_port=int(address.rpartition(":")[2]))
    asked = await stack.enter_async_context(chat_processes(settings))
    assert (await asked.chatters(ADA, 10)).total == 1

"""What strangers do to a server, and that the others do not feel it."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from commands.identity import user_id_of
from query_api.chat.keeper import Kept
from tests.query_api.chat.clients import PATIENCE_S, IrcClient, JsonClient
from tests.query_api.chat.test_json_socket import ADA, joined, said
from tests.query_api.chat.town import Doors, Town, opened

pytestmark = pytest.mark.usefixtures("people")


@pytest.fixture
def people(town: Town) -> None:
    town.register("bob", "ada")


async def closed_with(client: JsonClient) -> int:
    """The close code that comes, sooner or later."""
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await client.connection.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def test_a_binary_message_ends_with_1003(doors: Doors) -> None:
    client = await JsonClient.open(doors)
    await client.connection.send(b"\x00\x01")
    assert await closed_with(client) == 1003


async def test_a_message_over_4_kib_ends_with_1009(doors: Doors) -> None:
    client = await JsonClient.open(doors)
    await client.connection.send("x" * 4097)
    assert await closed_with(client) == 1009


async def test_many_small_fragments_of_too_large_a_message_end_with_1009(doors: Doors) -> None:
    client = await JsonClient.open(doors)
    with pytest.raises(ConnectionClosed) as closed:
        await client.connection.send("x" * 100 for _ in range(50))
        while True:
            await client.connection.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_what_is_not_utf_8_ends_with_1007(doors: Doors) -> None:
    client = await JsonClient.open(doors)
    client.connection.transport.write(Frame(Opcode.TEXT, b"\xc3\x28").serialize(mask=True))
    assert await closed_with(client) == 1007


async def test_frames_that_are_not_masked_end_with_1002(doors: Doors) -> None:
    client = await JsonClient.open(doors)
    client.connection.transport.write(Frame(Opcode.TEXT, b"{}").serialize(mask=False))
    assert await closed_with(client) == 1002


async def test_a_flood_of_frames_ends_with_1008(doors: Doors) -> None:
    client = await JsonClient.open(doors)
    with pytest.raises(ConnectionClosed):
        for _ in range(2_000):
            await client.tell(type="ping")
        while True:
            await client.connection.recv()
    assert client.connection.close_code == 1008


async def test_a_token_in_the_url_is_refused(doors: Doors) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{doors.url}?token=secret", proxy=None)
    assert refused.value.response.status_code == 400


async def test_a_page_of_another_site_is_refused(doors: Doors) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(doors.url, proxy=None, origin="https://evil.example")  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403
    async with connect(doors.url, proxy=None, origin="http://localhost:8080"):  # type: ignore[arg-type]
        pass


@pytest.mark.parametrize("header", ["Connection", "Authorization", "X-Forwarded-For", "Origin", "Upgrade"])
async def test_a_header_that_comes_twice_is_answered(doors: Doors, header: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", doors.socket_port)
    twice = f"{header}: upgrade\r\n{header}: websocket\r\n"
    writer.write(f"GET /chatters/1 HTTP/1.1\r\n{twice}\r\n".encode())
    async with asyncio.timeout(PATIENCE_S):
        assert (await reader.read()).startswith(b"HTTP/1.1 4")
    writer.close()


async def test_a_path_that_is_not_there_is_refused(doors: Doors) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://127.0.0.1:{doors.socket_port}/chat", proxy=None)
    assert refused.value.response.status_code == 404


async def test_one_address_opens_only_so_many_connections(town: Town) -> None:
    async with opened(town, connections_per_address=2) as doors:
        first, second = await JsonClient.open(doors), await JsonClient.open(doors)
        with pytest.raises(InvalidStatus) as refused:
            await JsonClient.open(doors)
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"]
        await first.close()
        await asyncio.sleep(0.1)
        third = await JsonClient.open(doors)
        for client in (second, third):
            await client.close()


async def test_behind_a_proxy_each_address_counts_for_itself(town: Town) -> None:
    async with (
        opened(town, connections_per_address=1) as doors,
        connect(doors.url, proxy=None, additional_headers={"X-Forwarded-For": "192.0.2.1"}),
        connect(doors.url, proxy=None, additional_headers={"X-Forwarded-For": "192.0.2.1, 192.0.2.2"}),
    ):
        with pytest.raises(InvalidStatus):
            await connect(doors.url, proxy=None, additional_headers={"X-Forwarded-For": "192.0.2.2"})


async def test_a_full_process_says_so(town: Town) -> None:
    async with opened(town, connections=1) as doors:
        client = await JsonClient.open(doors)
        with pytest.raises(InvalidStatus) as refused:
            await JsonClient.open(doors)
        assert refused.value.response.status_code == 503
        await client.close()


async def test_one_address_joins_only_so_often_and_the_others_join_meanwhile(town: Town) -> None:
    async with opened(town, joins_per_minute=5) as doors:
        greedy = await JsonClient.open(doors)
        for number in range(6):
            await greedy.join("", str(number))
        codes = [(await greedy.frame())["code"] for _ in range(6)]
        assert codes == ["unknown_room"] * 5 + ["join_ratelimit"]
        async with connect(doors.url, proxy=None, additional_headers={"X-Forwarded-For": "192.0.2.1"}) as other:
            assert (await joined(JsonClient(other, None)))["type"] == "joined"
        await greedy.close()


async def test_a_connection_is_in_only_so_many_rooms(town: Town) -> None:
    async with opened(town, rooms=1) as doors:
        client = await JsonClient.open(doors)
        await joined(client)
        await client.join("bob", user_id_of("bob"))
        assert (await client.frame())["code"] == "too_many_rooms"
        await client.close()


async def test_who_sends_faster_than_allowed_is_told_before_kafka_is_asked(town: Town) -> None:
    async with opened(town, sends_per_30_s=1) as doors:
        client = await JsonClient.open(doors, "bob")
        await joined(client)
        await client.say("one")
        await client.frames_until("message")
        await client.say("two")
        error = (await client.frames_until("error"))[-1]
        assert error["code"] == "msg_ratelimit"
        assert error["retry_after"] > 0
        await client.close()


async def test_who_never_reads_is_cut_and_the_others_hear_everything(town: Town) -> None:
    async with opened(town, unread=16_384) as doors:
        deaf, reader = await JsonClient.open(doors), await JsonClient.open(doors)
        await joined(deaf)
        await joined(reader)
        deaf.connection.transport.pause_reading()
        deaf.connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        room = town.house.rooms.get(ADA)
        assert room is not None
        number = 0
        async with asyncio.timeout(PATIENCE_S):
            while room.size > 1:
                town.append(said("x" * 400, number))
                assert (await reader.frame())["id"] == f"m-{number}"
                number += 1
        town.append(said("still here", number))
        assert (await reader.frame())["content"] == "still here"
        deaf.connection.transport.abort()
        await reader.close()


def the_only_one(town: Town) -> Kept:
    (kept,) = town.keeper.all()
    return kept


async def test_who_does_not_shake_hands_is_cut(doors: Doors, town: Town) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", doors.socket_port)
    writer.write(b"GET /ws HTTP/1.1\r\n")
    await writer.drain()
    async with asyncio.timeout(PATIENCE_S):
        while not town.keeper.all():  # noqa: ASYNC110  # nothing tells of an accepted connection
            await asyncio.sleep(0.01)
        the_only_one(town).check(time.monotonic() + 11)
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
    writer.close()


async def test_who_joins_no_room_is_ended(doors: Doors, town: Town) -> None:
    client = await JsonClient.open(doors)
    the_only_one(town).check(time.monotonic() + 61)
    assert await closed_with(client) == 1008


async def test_who_is_silent_is_pinged_and_then_ended(doors: Doors, town: Town) -> None:
    client = await IrcClient.open(doors)
    await client.until("376")
    await client.join("ada", ADA)
    await client.until("366")
    the_only_one(town).check(time.monotonic() + 31)
    await client.until("PING")
    the_only_one(town).check(time.monotonic() + 76)
    assert "pings" in (await client.until("ERROR")).params[0]
    await client.close()


async def test_an_irc_line_without_an_end_is_refused(doors: Doors) -> None:
    client = await IrcClient.open(doors)
    await client.until("376")
    await client.send("PRIVMSG #ada :" + "x" * 9_000)
    assert "8191 bytes" in (await client.until("ERROR")).params[0]
    await client.close()


async def test_random_bytes_at_either_door_end_in_an_answer_or_an_end(doors: Doors) -> None:
    for port in (doors.socket_port, doors.irc_port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes(range(256)) * 64 + b"\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            await reader.read()
        writer.close()

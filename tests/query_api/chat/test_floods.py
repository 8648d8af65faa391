"""Those who send much: what it may cost us is bounded, for a connection and for an address."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from commands.identity import user_id_of
from query_api.chat.admission import Admission
from query_api.chat.connection import PIECE
from query_api.chat.limits import CHECK_S, Limits
from query_api.chat.refusal import Refused
from query_api.rate_limit import TokenBuckets
from tests.query_api.chat.clients import PATIENCE_S, IrcClient, JsonClient
from tests.query_api.chat.test_json_socket import ADA, joined, said
from tests.query_api.chat.town import Doors, Town, opened

pytestmark = pytest.mark.usefixtures("people")


@pytest.fixture
def people(town: Town) -> None:
    town.register("bob", "ada")


async def until_it_ends(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        with suppress(ConnectionResetError):
            return await reader.read()
    return b""


async def test_empty_lines_are_a_flood_too(doors: Doors) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", doors.irc_port)
    writer.write(b"NICK justinfan1\r\n" + b"\n" * 10_000)
    assert b"more than anybody needs" in await until_it_ends(reader)
    writer.close()


@pytest.mark.parametrize("door", ["socket_port", "irc_port"])
async def test_of_one_large_read_no_more_is_looked_at_than_the_limit_allows(
    doors: Doors, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much the kernel hands over at once: what comes behind a flood is not parsed."""
    heard: list[int] = []
    hear = Admission.hear

    def counted(admission: Admission, network: str, count: int, now_s: float) -> float:
        heard.append(count)
        return hear(admission, network, count, now_s)

    monkeypatch.setattr(Admission, "hear", counted)
    reader, writer = await asyncio.open_connection("127.0.0.1", getattr(doors, door))
    if door == "socket_port":
        writer.write(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"X-Forwarded-For: 192.0.2.9\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        writer.write(Frame(Opcode.PONG, b"").serialize(mask=True) * 40_000)
    else:
        writer.write(b"\n" * 40_000)
    await until_it_ends(reader)
    writer.close()
    assert Limits().received_per_check < sum(heard) <= Limits().received_per_check + PIECE


async def test_one_line_joins_only_so_many_channels(doors: Doors) -> None:
    client = await IrcClient.open(doors, "bob")
    await client.until("376")
    await client.send("JOIN " + ",".join(["#ada"] * 51))
    notice = await client.until("NOTICE")
    assert notice.tags["msg-id"] == "too_many_rooms"
    await client.send("JOIN " + ",".join(["#ada"] * 50))
    await client.until("ROOMSTATE")
    await client.close()


async def test_who_asks_for_much_at_once_lets_others_between(town: Town) -> None:
    async with opened(town) as doors:
        busy, other = await IrcClient.open(doors, "bob"), await IrcClient.open(doors, "ada")
        for client in (busy, other):
            await client.until("376")
        order: list[str] = []
        serving = town.registry.login_of

        async def login_of(channel_id: str) -> str | None:
            order.append("busy" if channel_id == user_id_of("bob") else "other")
            return await serving(channel_id)

        town.registry.login_of = login_of  # type: ignore[method-assign]
        busy._writer.write(b"JOIN #bob\r\nPART #bob\r\n" * 30)
        other._writer.write(b"JOIN #ada\r\n")
        await other.until("ROOMSTATE")
        served_before = len(order)
        await busy.send("PING :done")
        await busy.until("PONG")
        assert order.count("busy") == 30
        assert served_before < 31
        for client in (busy, other):
            await client.close()


async def test_a_message_may_come_in_many_fragments_also_empty_ones(doors: Doors) -> None:
    client = await JsonClient.open(doors)
    write = client.connection.transport.write
    write(Frame(Opcode.TEXT, b'{"type":', fin=False).serialize(mask=True))
    for _ in range(1_000):
        write(Frame(Opcode.CONT, b"", fin=False).serialize(mask=True))
    write(Frame(Opcode.CONT, b'"ping"}', fin=True).serialize(mask=True))
    assert (await client.frame())["type"] == "pong"
    await client.close()


async def test_what_is_turned_away_at_the_irc_door_does_not_pile_up(town: Town) -> None:
    async with opened(town, connections_per_address=1, strangers=3) as doors:
        first = await IrcClient.open(doors)
        await first.until("376")
        crowd = [await asyncio.open_connection("127.0.0.1", doors.irc_port) for _ in range(20)]
        async with asyncio.timeout(PATIENCE_S):
            cut = [await until_it_ends(reader) for reader, _ in crowd]
        assert sum(not told for told in cut) >= 16
        assert len(town.keeper) <= 1 + 3 + 1
        for _, writer in crowd:
            writer.close()
        await first.close()


async def test_an_address_that_sends_too_much_is_read_more_slowly_and_others_are_not(town: Town) -> None:
    async with (
        opened(town, connections_per_address=1, received_of_each_per_check=300) as doors,
        connect(doors.url, proxy=None, additional_headers={"X-Forwarded-For": "192.0.2.1"}) as loud,
        connect(doors.url, proxy=None, additional_headers={"X-Forwarded-For": "192.0.2.2"}) as calm,
    ):
        for _ in range(350):
            await loud.send('{"type":"ping"}')
            await loud.recv()
        network = "192.0.2.1"
        owed_s = town.house.admission.hear(network, 0, asyncio.get_running_loop().time())
        assert owed_s > 0
        resting = [kept for kept in town.keeper.all() if kept.address == network]  # type: ignore[attr-defined]
        assert not resting[0]._transport.is_reading()  # type: ignore[attr-defined]
        assert (await joined(JsonClient(calm, None)))["type"] == "joined"
        await loud.send('{"type":"ping"}')
        async with asyncio.timeout(PATIENCE_S):
            assert '"pong"' in str(await loud.recv())


async def test_one_address_asks_only_so_often_for_what_only_kafka_has(town: Town) -> None:
    async with opened(town, room_backlog=3, replay_records=0, replays_per_minute=2) as doors:
        client = await JsonClient.open(doors, "bob")
        old = (await joined(client))["cursor"]
        for number in range(5):
            town.append(said(f"text {number}", number))
        latest = (await client.frames_until("message"))[-1]["cursor"]
        for _ in range(4):
            latest = (await client.frames_until("message"))[-1]["cursor"]
        await client.tell(type="leave", room_id=ADA)
        await client.frames_until("left")
        codes = []
        for _ in range(3):
            await client.join("ada", ADA, after=old)
            error = (await client.frames_until("error"))[-1]
            codes.append(error["code"])
        assert codes == ["cursor_too_old", "cursor_too_old", "join_ratelimit"]
        assert error["retry_after"] > 0
        assert (await joined(client, latest))["type"] == "joined"
        await client.close()


def test_a_debt_is_made_up_for_in_time() -> None:
    buckets = TokenBuckets(30, CHECK_S)
    assert buckets.owe("a", 30, 0.0) == 0
    assert buckets.owe("a", 10, 0.0) == 5.0
    assert buckets.owe("a", 0, 5.0) == 0
    assert buckets.owe("b", 1, 0.0) == 0


@pytest.fixture
def admission() -> Admission:
    return Admission(Limits(connections=2, connections_per_address=1))


def test_who_left_makes_room(admission: Admission) -> None:
    network = admission.arrive("192.0.2.1", 0.0)
    with pytest.raises(Refused, match="too_many_connections"):
        admission.arrive("192.0.2.1", 0.0)
    admission.depart(network)
    assert admission.arrive("192.0.2.1", 0.0) == network
    assert admission.connections == 1


def test_who_comes_and_goes_all_the_time_waits() -> None:
    admission = Admission(Limits(connections_per_address=2, arrivals_of_each_per_minute=3))
    for _ in range(6):
        admission.depart(admission.arrive("192.0.2.1", 0.0))
    with pytest.raises(Refused, match="connects too often") as refused:
        admission.arrive("192.0.2.1", 0.0)
    assert refused.value.retry_after_s == 10.0
    admission.arrive("192.0.2.2", 0.0)
    admission.arrive("192.0.2.1", 10.0)


def test_an_ipv6_network_is_one_address(admission: Admission) -> None:
    admission.arrive("2001:db8::1", 0.0)
    with pytest.raises(Refused, match="too_many_connections"):
        admission.arrive("2001:db8::ffff:1", 0.0)
    admission.arrive("2001:db8:0:1::1", 0.0)
    with pytest.raises(Refused, match="overloaded"):
        admission.arrive("192.0.2.1", 0.0)

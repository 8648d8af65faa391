"""The chat process on real engines: what is said goes through Kafka and comes back to everybody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from commands.identity import new_id
from schemas.events.chat import MessageSent
from schemas.events.moderation import UserBanned
from schemas.message import Event
from tests.authority import Authority
from tests.engines import free_ports
from tests.query_api.chat.clients import PATIENCE_S, IrcClient
from tests.query_api.chatting import Chat
from tests.query_api.conftest import Edge, Member

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def chat(edge: Edge, authority: Authority) -> Iterator[Chat]:
    port, irc_port, ircs_port = free_ports(3)
    files = authority.issue(serial=7)
    settings = edge.settings.model_copy(
        update={
            "chat_port": port,
            "irc_port": irc_port,
            "ircs_port": ircs_port,
            "ircs_certificate_file": str(files.certificate),
            "ircs_key_file": str(files.key),
            "chat_url": f"ws://127.0.0.1:{port}/ws",
        }
    )
    chat = Chat.started(settings)
    yield chat
    assert chat.stop() == 0


class Visitor:
    """A connection in a room."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def tell(self, **frame: Any) -> None:
        await self.connection.send(json.dumps(frame))

    async def frame(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S * 2):
            told: dict[str, Any] = json.loads(await self.connection.recv())
            return told

    async def until(self, kind: str) -> dict[str, Any]:
        while (frame := await self.frame())["type"] != kind:
            pass
        return frame


@asynccontextmanager
async def visiting(chat: Chat, room: Member, who: Member | None = None, **more: Any) -> AsyncIterator[Visitor]:
    async with connect(chat.url, compression=None, proxy=None) as connection:
        visitor = Visitor(connection)
        token = {"token": who.token} if who else {}
        await visitor.tell(type="join", room_id=room.id, **token, **more)
        yield visitor


def said(room: Member, who: Member, number: int) -> MessageSent:
    return MessageSent(
        type="MessageSent",
        event_id=new_id(),
        occurred_at=datetime.now(UTC),
        actor=who.id,
        correlation_id=new_id(),
        channel_id=room.id,
        message_id=f"m-{number}",
        sender_id=who.id,
        sender_login=who.login,
        text=f"text {number}",
    )


async def test_what_is_said_at_one_door_is_heard_at_the_others(chat: Chat, edge: Edge) -> None:
    ada, bob = edge.register(), edge.member("bob")
    async with visiting(chat, ada, bob) as speaker, visiting(chat, ada) as reader:
        await speaker.until("joined")
        await reader.until("joined")
        bot = IrcClient(*await asyncio.open_connection("127.0.0.1", chat.irc_port), "")
        await bot.send(f"PASS oauth:{ada.token}")
        await bot.send("NICK ada")
        await bot.send(f"JOIN #{ada.login}")
        await bot.until("366")

        await speaker.tell(type="message", room_id=ada.id, content="over the socket", id="1")
        accepted = await speaker.until("accepted")
        heard = await reader.until("message")
        assert heard["id"] == accepted["message_id"]
        assert (await bot.until("PRIVMSG")).params == (f"#{ada.login}", "over the socket")

        await bot.send(f"PRIVMSG #{ada.login} :over irc")
        assert (await reader.until("message"))["content"] == "over irc"

        body = {"broadcaster_id": ada.id, "sender_id": bob.id, "message": "over rest"}
        assert bob.ask("POST", "/helix/chat/messages", json=body).status_code == 200
        assert (await reader.until("message"))["content"] == "over rest"
        await bot.close()


async def test_a_bot_comes_over_tls(chat: Chat, edge: Edge, authority: Authority) -> None:
    ada = edge.register()
    streams = await asyncio.open_connection("localhost", chat.settings.ircs_port, ssl=authority.trusting())
    bot = IrcClient(*streams, "")
    await bot.send(f"PASS oauth:{ada.token}")
    await bot.send(f"NICK {ada.login}")
    assert (await bot.until("001")).params[0] == ada.login
    await bot.close()


async def test_gifts_over_rest_are_told_in_the_room(chat: Chat, edge: Edge) -> None:
    ada, bob = edge.register(), edge.register(display_name="Bob")
    async with visiting(chat, ada) as reader:
        cursor = (await reader.until("joined"))["cursor"]
        gift = {"broadcaster_id": ada.id, "amount": {"value": 500, "currency": "EUR"}, "message": "well played :clap:"}
        donated = await asyncio.to_thread(bob.ask, "POST", "/helix/donations", json=gift)
        told = await reader.until("message")
        assert (told["id"], told["content"]) == (donated.json()["data"][0]["id"], "5.00 EUR well played :clap:")
        assert (told["user"]["name"], told["fragments"][-1]["type"]) == ("Bob", "emote")
        wish = {"broadcaster_id": ada.id, "tier": "2000"}
        assert (await asyncio.to_thread(bob.ask, "POST", "/helix/subscriptions", json=wish)).status_code == 204
        assert (await reader.until("subscription"))["user"]["login"] == bob.login
    async with visiting(chat, ada, after=cursor) as returned:
        kinds = [(await returned.frame())["type"] for _ in range(3)]
        assert kinds == ["joined", "message", "subscription"]


async def test_the_same_id_is_said_once(chat: Chat, edge: Edge) -> None:
    ada, bob = edge.register(), edge.member("bob")
    async with visiting(chat, ada, bob) as speaker:
        for _ in range(2):
            await speaker.tell(type="message", room_id=ada.id, content="once", id="the-same")
        await speaker.tell(type="message", room_id=ada.id, content="then another", id="other")
        frames = [await speaker.frame() for _ in range(6)]
        accepted = [frame["message_id"] for frame in frames if frame["type"] == "accepted"]
        assert accepted[0] == accepted[1] != accepted[2]
        assert [frame["content"] for frame in frames if frame["type"] == "message"] == ["once", "then another"]


async def test_a_ban_in_the_log_is_told_and_holds(chat: Chat, edge: Edge) -> None:
    ada, bob = edge.register(), edge.register()
    async with visiting(chat, ada, bob) as banned:
        await banned.until("joined")
        edge.append(
            UserBanned(
                type="UserBanned",
                event_id=new_id(),
                occurred_at=datetime.now(UTC),
                actor=ada.id,
                correlation_id=new_id(),
                channel_id=ada.id,
                target_id=bob.id,
                target_login=bob.login,
            )
        )
        assert (await banned.until("user_banned"))["user_id"] == bob.id
        await banned.tell(type="message", room_id=ada.id, content="let me in")
        assert (await banned.until("error"))["code"] == "msg_banned"


async def test_a_room_that_is_not_there_and_a_token_that_is_none_are_refused(chat: Chat, edge: Edge) -> None:
    nobody = Member(edge.client, "nobody", "12345", "forged")
    async with visiting(chat, nobody) as visitor:
        assert (await visitor.until("error"))["code"] == "unknown_room"
    async with visiting(chat, edge.member("bob"), nobody) as visitor:
        assert (await visitor.until("error"))["code"] == "bad_token"


async def test_a_token_that_is_revoked_ends_its_connections(chat: Chat, edge: Edge) -> None:
    ada, bob = edge.member("ada"), edge.register()
    async with visiting(chat, ada, bob) as visitor:
        await visitor.until("joined")
        revoked = edge.client.post("/oauth2/revoke", data={"token": bob.token, "client_id": "tests"})
        assert revoked.status_code == 200, revoked.text
        assert (await visitor.until("error"))["code"] == "session_ended"
        with pytest.raises(ConnectionClosed):
            await visitor.frame()


async def test_what_is_older_than_a_process_keeps_is_read_from_kafka(chat: Chat, edge: Edge) -> None:
    ada, bob = edge.register(), edge.member("bob")
    async with visiting(chat, ada) as visitor:
        cursor = (await visitor.until("joined"))["cursor"]
    events: list[Event] = [said(ada, bob, number) for number in range(700)]
    edge.append(*events, events[0])
    async with visiting(chat, ada) as present:
        await present.until("joined")
        async with visiting(chat, ada, after=cursor) as returned:
            await returned.until("joined")
            heard = [await returned.until("message") for _ in range(700)]
            assert [each["id"] for each in heard] == [f"m-{number}" for number in range(700)]
            edge.append(said(ada, bob, 700))
            assert (await returned.until("message"))["id"] == "m-700"
    edge.append(*(said(ada, bob, number) for number in range(701, 1_100)))
    async with visiting(chat, ada, after=cursor) as late:
        assert (await late.until("error"))["code"] == "cursor_too_old"


@pytest.mark.faults
async def test_a_killed_process_loses_nothing_repeats_nothing_and_keeps_the_order(chat: Chat, edge: Edge) -> None:
    """A speaker that does not know what became of a message says it again under the same id."""
    ada = edge.register()
    count = 60
    heard: list[dict[str, Any]] = []
    spoken = asyncio.Event()

    async def read() -> None:
        cursor: dict[str, Any] = {}
        while len(heard) < count:
            with suppress(OSError, ConnectionClosed, TimeoutError):
                async with visiting(chat, ada, None, **cursor) as reader:
                    while len(heard) < count:
                        frame = await reader.frame()
                        if "cursor" in frame:
                            cursor = {"after": frame["cursor"]}
                        if frame["type"] == "message":
                            heard.append(frame)
            await asyncio.sleep(0.05)

    async def speak() -> list[str]:
        accepted: list[str] = []
        while len(accepted) < count:
            with suppress(OSError, ConnectionClosed, TimeoutError):
                async with visiting(chat, ada, ada) as speaker:
                    await speaker.until("joined")
                    while len(accepted) < count:
                        number = len(accepted)
                        await speaker.tell(type="message", room_id=ada.id, content=f"number {number}", id=str(number))
                        answer = await speaker.until("accepted")
                        assert answer["id"] == str(number)
                        accepted.append(answer["message_id"])
                        if number == count // 3:
                            spoken.set()
            await asyncio.sleep(0.05)
        return accepted

    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read())
        speaking = tasks.create_task(speak())
        await spoken.wait()
        chat.kill_and_restart()
        await asyncio.to_thread(chat.wait)
        accepted = await speaking
        await reading
    assert [each["id"] for each in heard] == accepted
    assert [each["content"] for each in heard] == [f"number {number}" for number in range(count)]


async def test_an_orderly_stop_asks_everybody_to_connect_again(chat: Chat, edge: Edge) -> None:
    port, irc_port = free_ports(2)
    settings = chat.settings.model_copy(update={"chat_port": port, "irc_port": irc_port, "ircs_port": 0})
    own = Chat.started(settings.model_copy(update={"chat_url": f"ws://127.0.0.1:{port}/ws"}))
    async with visiting(own, edge.member("ada")) as visitor:
        await visitor.until("joined")
        own.running.terminate()
        await visitor.until("reconnect")
        with pytest.raises(ConnectionClosed) as closed:
            await visitor.frame()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    assert await asyncio.to_thread(own.running.wait, PATIENCE_S) == 0

"""The dialect: what bots that were written for Twitch expect to be told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import irc.client
import pytest
from websockets.asyncio.client import connect

from commands.identity import user_id_of
from query_api.chat.irc.message import Message
from schemas.events.channel_roles import ModeratorAdded
from schemas.events.chat import MessageDeleted, RaidReceived
from schemas.events.moderation import UserBanned
from tests.query_api.chat.clients import PATIENCE_S, IrcClient
from tests.query_api.chat.test_json_socket import ADA, BOB, said
from tests.query_api.chat.town import Doors, Town, event


@pytest.fixture
async def bob(doors: Doors) -> AsyncIterator[IrcClient]:
    doors.town.register("eve", "bob", "ada")
    client = await IrcClient.open(doors, "bob")
    yield client
    await client.close()


async def in_the_room(client: IrcClient) -> None:
    await client.join("ada", ADA)
    await client.until("ROOMSTATE")


async def test_registering_is_welcomed(bob: IrcClient) -> None:
    assert (await bob.until("CAP")).params == ("*", "ACK", "twitch.tv/tags twitch.tv/commands")
    numerics = [(await bob.message()).command for _ in range(7)]
    assert numerics == ["001", "002", "003", "004", "375", "372", "376"]
    state = await bob.until("GLOBALUSERSTATE")
    assert (state.tags["user-id"], state.tags["display-name"]) == (BOB, "Bob")


async def test_a_capability_that_is_not_there_is_refused_whole(bob: IrcClient) -> None:
    await bob.until("376")
    await bob.send("CAP LS 302")
    assert (await bob.until("CAP")).params[2] == "twitch.tv/commands twitch.tv/membership twitch.tv/tags"
    await bob.send("CAP REQ :twitch.tv/tags sasl")
    assert (await bob.until("CAP")).params[1] == "NAK"


@pytest.mark.parametrize(
    ("password", "why"),
    [("oauth:token-mallory", "Login authentication failed"), ("hunter2", "Improperly formatted auth")],
)
async def test_a_wrong_password_is_told_and_ends_the_connection(doors: Doors, password: str, why: str) -> None:
    client = IrcClient(*await asyncio.open_connection("127.0.0.1", doors.irc_port), "")
    await client.send(f"PASS {password}")
    await client.send("NICK bob")
    assert (await client.until("NOTICE")).params == ("*", why)
    await client.until("ERROR")
    with pytest.raises(EOFError):
        await client.message()
    await client.close()


async def test_before_registering_there_is_nothing_to_join(doors: Doors) -> None:
    client = IrcClient(*await asyncio.open_connection("127.0.0.1", doors.irc_port), "")
    await client.send("JOIN #ada")
    assert (await client.message()).command == "451"
    await client.close()


async def test_joining_tells_names_and_states(bob: IrcClient, town: Town) -> None:
    town.append(event(ModeratorAdded, channel_id=ADA, target_id=BOB))
    await bob.join("ada", ADA)
    joined = await bob.until("JOIN")
    assert (joined.prefix, joined.params) == ("bob!bob@bob.tmi.twitch.tv", ("#ada",))
    assert (await bob.message()).params == ("bob", "=", "#ada", "bob")
    assert (await bob.message()).command == "366"
    assert (await bob.message()).tags["mod"] == "1"
    state = await bob.message()
    assert state.command == "ROOMSTATE"
    assert dict(state.tags) == {
        "emote-only": "0",
        "followers-only": "-1",
        "r9k": "0",
        "room-id": ADA,
        "slow": "0",
        "subs-only": "0",
    }


async def test_a_message_carries_twitchs_tags(bob: IrcClient, town: Town) -> None:
    await in_the_room(bob)
    town.append(said("what is it?", 1))
    town.append(said("Kappa no", 2, emotes="25:0-4", badges=["moderator/1", "subscriber/3"], reply_parent_id="m-1"))
    await bob.until("PRIVMSG")
    tags = (await bob.until("PRIVMSG")).tags
    assert tags["emotes"] == "25:0-4"
    assert (tags["badges"], tags["badge-info"]) == ("moderator/1,subscriber/3", "subscriber/3")
    assert (tags["mod"], tags["subscriber"], tags["user-type"]) == ("1", "1", "mod")
    assert (tags["room-id"], tags["user-id"], tags["id"]) == (ADA, BOB, "m-2")
    assert (tags["reply-parent-msg-id"], tags["reply-parent-msg-body"]) == ("m-1", "what is it?")
    assert tags["tmi-sent-ts"].isdigit()


async def test_nobody_is_told_what_they_said_themselves_but_that_it_was_said(bob: IrcClient, doors: Doors) -> None:
    await in_the_room(bob)
    eve = await IrcClient.open(doors, "eve")
    await in_the_room(eve)
    await bob.say("mine")
    assert (await bob.message()).command == "USERSTATE"
    assert (await eve.until("PRIVMSG")).params[1] == "mine"
    await eve.say("hers")
    assert (await bob.message()).params == ("#ada", "hers")
    await eve.close()


async def test_an_answer_names_what_it_answers(bob: IrcClient, doors: Doors) -> None:
    await in_the_room(bob)
    eve = await IrcClient.open(doors, "eve")
    await in_the_room(eve)
    await bob.say("a question")
    question = (await eve.until("PRIVMSG")).tags["id"]
    await eve.send(f"@reply-parent-msg-id={question} PRIVMSG #ada :an answer")
    assert (await bob.until("PRIVMSG")).tags["reply-parent-msg-id"] == question
    await eve.close()


async def test_what_moderators_do_is_told_in_twitchs_words(bob: IrcClient, town: Town) -> None:
    await in_the_room(bob)
    town.append(said("bad words", 1), event(MessageDeleted, channel_id=ADA, message_id="m-1", sender_id=BOB))
    cleared = await bob.until("CLEARMSG")
    assert (cleared.tags["login"], cleared.params) == ("bob", ("#ada", "bad words"))
    for kind in ({"target_login": "eve"}, {}):
        town.append(event(UserBanned, channel_id=ADA, target_id=user_id_of("eve"), **kind))
    named, unnamed = await bob.until("CLEARCHAT"), await bob.until("CLEARCHAT")
    assert (named.params, named.tags["target-user-id"]) == (("#ada", "eve"), user_id_of("eve"))
    assert unnamed.tags["target-user-id"] == user_id_of("eve")


async def test_a_raid_and_an_announcement_are_user_notices(bob: IrcClient, town: Town) -> None:
    await in_the_room(bob)
    town.append(
        event(RaidReceived, channel_id=ADA, from_id="7", from_login="eve", viewers=12),
        said("look here", 1, announcement="blue"),
    )
    raid, announcement = await bob.until("USERNOTICE"), await bob.until("USERNOTICE")
    assert (raid.tags["msg-id"], raid.tags["msg-param-viewerCount"]) == ("raid", "12")
    assert (announcement.tags["msg-id"], announcement.tags["msg-param-color"]) == ("announcement", "BLUE")
    assert announcement.params == ("#ada", "look here")


async def test_who_becomes_a_moderator_is_told_at_once(bob: IrcClient, town: Town) -> None:
    await in_the_room(bob)
    town.append(event(ModeratorAdded, channel_id=ADA, target_id=BOB))
    assert (await bob.until("USERSTATE")).tags["mod"] == "1"


async def test_without_capabilities_there_are_bare_messages_only(doors: Doors, town: Town) -> None:
    town.register("bob", "ada")
    client = IrcClient(*await asyncio.open_connection("127.0.0.1", doors.irc_port), "")
    await client.send("NICK justinfan7")
    await client.send("JOIN #ada")
    await client.until("366")
    town.append(event(RaidReceived, channel_id=ADA, from_id="7", from_login="eve", viewers=12), said("hello", 1))
    message = await client.message()
    assert message == Message("PRIVMSG", ("#ada", "hello"), {}, "bob!bob@bob.tmi.twitch.tv")
    await client.close()


@pytest.mark.parametrize("text", ["/ban eve", "/color red"])
async def test_commands_in_a_message_are_refused(bob: IrcClient, text: str) -> None:
    await in_the_room(bob)
    await bob.say(text)
    assert (await bob.until("NOTICE")).tags["msg-id"] == "unrecognized_cmd"


@pytest.mark.parametrize("text", ["/me waves", "\x01ACTION waves\x01"])
async def test_an_action_is_said_plainly(bob: IrcClient, doors: Doors, text: str) -> None:
    await in_the_room(bob)
    eve = await IrcClient.open(doors, "eve")
    await in_the_room(eve)
    await bob.say(text)
    assert (await eve.until("PRIVMSG")).params[1] == "waves"
    await eve.close()


async def test_no_text_makes_a_line_of_its_own(bob: IrcClient, town: Town) -> None:
    await in_the_room(bob)
    town.append(said("one\r\n:tmi.twitch.tv RECONNECT\0", 1), said("two", 2))
    first, second = await bob.message(), await bob.message()
    assert first.params == ("#ada", "one  :tmi.twitch.tv RECONNECT ")
    assert second.params == ("#ada", "two")


async def test_who_has_left_a_room_hears_it_no_more(bob: IrcClient, town: Town) -> None:
    await in_the_room(bob)
    await bob.send("PART #ada")
    assert (await bob.until("PART")).params == ("#ada",)
    town.append(said("gone?", 1))
    await bob.send("PING :x")
    assert (await bob.message()).params == ("tmi.twitch.tv", "x")


async def test_who_asks_for_membership_is_told_who_comes_and_goes(bob: IrcClient, doors: Doors) -> None:
    await bob.send("CAP REQ twitch.tv/membership")
    await in_the_room(bob)
    eve = await IrcClient.open(doors, "eve")
    await in_the_room(eve)
    arrived = await bob.message()
    assert (arrived.command, arrived.prefix) == ("JOIN", "eve!eve@eve.tmi.twitch.tv")
    await eve.close()
    assert (await bob.message()).command == "PART"


async def test_the_names_are_those_in_the_room(bob: IrcClient, doors: Doors) -> None:
    await bob.send("CAP REQ twitch.tv/membership")
    eve = await IrcClient.open(doors, "eve")
    await in_the_room(eve)
    await bob.join("ada", ADA)
    assert (await bob.until("353")).params[-1] == "bob eve"
    await eve.close()


async def test_an_unknown_command_is_named(bob: IrcClient) -> None:
    await bob.until("GLOBALUSERSTATE")
    await bob.send("WHISPER eve :hi")
    assert (await bob.message()).params == ("bob", "WHISPER", "Unknown command")


@pytest.mark.parametrize("path", ["", "irc"])
async def test_irc_is_spoken_over_websocket_too(doors: Doors, path: str) -> None:
    doors.town.register("bob", "ada")
    async with connect(f"ws://127.0.0.1:{doors.socket_port}/{path}", proxy=None) as socket:
        await socket.send("PASS oauth:token-bob\r\nNICK bob\r\n")
        assert ":tmi.twitch.tv 001 bob :Welcome, GLHF!\r\n" in str(await socket.recv())
        await socket.send("JOIN #ada")
        assert "366 bob #ada" in str(await socket.recv())
        doors.town.append(said("hello", 1))
        assert await socket.recv() == ":bob!bob@bob.tmi.twitch.tv PRIVMSG #ada hello\r\n"


async def test_the_subprotocol_irc_is_agreed_to(doors: Doors) -> None:
    async with connect(doors.url, proxy=None, subprotocols=["irc"]) as socket:  # type: ignore[list-item]
        assert socket.subprotocol == "irc"
        await socket.send("NICK justinfan1")
        assert "001 justinfan1" in str(await socket.recv())


class Bot:
    """As its authors would write one for Twitch."""

    def __init__(self) -> None:
        self.reactor = irc.client.Reactor()
        self.reactor.add_global_handler("welcome", self._welcomed)
        self.reactor.add_global_handler("pubmsg", self._told)
        self.heard = threading.Event()
        self.message: list[str] = []

    def run(self, port: int) -> None:
        self.reactor.server().connect("127.0.0.1", port, "eve", password="oauth:token-eve")
        while not self.heard.is_set():
            self.reactor.process_once(0.05)

    def _welcomed(self, connection: irc.client.ServerConnection, event: irc.client.Event) -> None:
        connection.cap("REQ", "twitch.tv/tags")
        connection.join("#ada")

    def _told(self, connection: irc.client.ServerConnection, event: irc.client.Event) -> None:
        tags = {tag["key"]: tag["value"] for tag in event.tags}
        self.message = [event.source.nick, tags["display-name"], event.arguments[0]]
        connection.privmsg("#ada", "hello yourself")
        self.heard.set()


async def test_a_bot_of_an_irc_library_works_unchanged(bob: IrcClient, doors: Doors) -> None:
    await in_the_room(bob)
    bot = Bot()
    running = asyncio.create_task(asyncio.to_thread(bot.run, doors.irc_port))
    room = doors.town.house.rooms.get(ADA)
    assert room is not None
    async with asyncio.timeout(PATIENCE_S):
        while room.size < 2:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.02)
        await bob.say("hello bot")
        assert (await bob.until("PRIVMSG")).params[1] == "hello yourself"
        await running
    assert bot.message == ["bob", "Bob", "hello bot"]
    bot.reactor.disconnect_all()

"""The same room through either door: who speaks JSON and who speaks IRC are told the same."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from websockets.exceptions import ConnectionClosed

from commands.identity import user_id_of
from query_api.chat.guest import SERVICE_RESTART
from schemas.events.channel_roles import ModeratorAdded, ModeratorRemoved, VipAdded, VipRemoved
from schemas.events.channels import PRIVATE, SUBSCRIBERS, ChannelUpdated
from schemas.events.chat import ChatCleared, MessageDeleted, RaidReceived
from schemas.events.chat_policy import ChatSettingsUpdated
from schemas.events.moderation import UserBanned
from schemas.events.support import UserSubscribed, UserUnsubscribed
from tests.query_api.chat.clients import Client, Heard, IrcClient, JsonClient
from tests.query_api.chat.town import Doors, event

DOORS: dict[str, type[JsonClient] | type[IrcClient]] = {"json": JsonClient, "irc": IrcClient}


class Street:
    """Opens clients and closes them all."""

    def __init__(self, doors: Doors, door: str) -> None:
        self.doors = doors
        self._door = DOORS[door]
        self.opened: list[Client] = []
        self.room_id = doors.town.register("bob", "eve", "ada")

    async def client(self, login: str = "") -> Client:
        client = await self._door.open(self.doors, login)
        self.opened.append(client)
        return client

    async def in_the_room(self, login: str = "") -> Client:
        client = await self.client(login)
        await client.join("ada", self.room_id)
        await client.hears("joined")
        return client


@pytest.fixture(params=list(DOORS))
async def street(request: pytest.FixtureRequest, doors: Doors) -> AsyncIterator[Street]:
    street = Street(doors, request.param)
    yield street
    for client in street.opened:
        await client.close()


async def test_what_one_says_the_others_hear(street: Street) -> None:
    bob, eve = await street.in_the_room("bob"), await street.in_the_room("eve")
    await bob.say("hello there")
    assert await eve.hears("message") == Heard("message", "bob", "hello there")


async def test_who_spoke_is_told_that_it_is_in_the_log(street: Street) -> None:
    bob = await street.in_the_room("bob")
    await bob.say("hello there")
    assert await bob.hears("accepted")


async def test_everybody_hears_in_the_same_order(street: Street) -> None:
    bob, eve, reader = await street.in_the_room("bob"), await street.in_the_room("eve"), await street.in_the_room()
    for number in range(5):
        await bob.say(f"bob {number}")
        await eve.say(f"eve {number}")
    heard = [(await reader.hears("message")).text for _ in range(10)]
    assert sorted(heard) == sorted(f"{who} {number}" for who in ("bob", "eve") for number in range(5))
    bobs = [(await bob.hears("message")).text for _ in range(5)]
    assert [text for text in heard if text in bobs] == bobs


async def test_a_message_that_may_not_be_said_is_refused_with_its_drop_code(street: Street) -> None:
    street.doors.town.append(event(ChatSettingsUpdated, channel_id=street.room_id, subscriber_mode=True))
    bob = await street.in_the_room("bob")
    await bob.say("hello there")
    assert (await bob.hears("error")).text == "msg_subsonly"


async def test_a_ban_is_told_and_keeps_the_banned_from_speaking(street: Street) -> None:
    bob = await street.in_the_room("bob")
    banned = event(UserBanned, actor=street.room_id, channel_id=street.room_id, target_id=user_id_of("bob"))
    street.doors.town.append(banned.model_copy(update={"target_login": "bob"}))
    assert await bob.hears("user_banned") == Heard("user_banned", "bob", "")
    await bob.say("let me in")
    assert (await bob.hears("error")).text == "msg_banned"


async def test_a_message_that_is_taken_back_is_named(street: Street) -> None:
    eve = await street.in_the_room("eve")
    deleted = event(MessageDeleted, channel_id=street.room_id, message_id="m-1", sender_id="2")
    street.doors.town.append(deleted)
    assert await eve.hears("deleted") == Heard("deleted", text="m-1")


async def test_a_cleared_chat_a_raid_and_new_modes_are_told(street: Street) -> None:
    eve = await street.in_the_room("eve")
    street.doors.town.append(
        event(ChatCleared, channel_id=street.room_id),
        event(RaidReceived, channel_id=street.room_id, from_id="7", from_login="bob", viewers=12),
        event(ChatSettingsUpdated, channel_id=street.room_id, slow_mode_s=30),
    )
    assert await eve.hears("cleared")
    assert await eve.hears("raid") == Heard("raid", "bob", "12")
    assert await eve.hears("room_state") == Heard("room_state", text="30")


async def test_without_signing_in_one_hears_but_does_not_speak(street: Street) -> None:
    reader, bob = await street.in_the_room(), await street.in_the_room("bob")
    await bob.say("hello there")
    assert (await reader.hears("message")).text == "hello there"
    await reader.say("me too")
    assert (await reader.hears("error")).text == "not_signed_in"


async def test_a_room_that_is_not_there_is_refused(street: Street) -> None:
    bob = await street.client("bob")
    await bob.join("nobody_home", user_id_of("nobody_home"))
    assert (await bob.hears("error")).text in ("unknown_room", "msg_channel_suspended")


async def test_a_private_room_lets_nobody_in_who_is_not_of_it(street: Street) -> None:
    private = event(
        ChannelUpdated, channel_id=street.room_id, title="", category="", language="", playback_policy=PRIVATE
    )
    street.doors.town.append(private)
    bob = await street.client("bob")
    await bob.join("ada", street.room_id)
    assert (await bob.hears("error")).text == "room_closed"
    assert await street.in_the_room("ada")


async def test_a_room_that_closes_puts_strangers_out_and_keeps_who_helps_to_run_it(street: Street) -> None:
    room = street.room_id
    street.doors.town.append(event(VipAdded, channel_id=room, target_id=user_id_of("eve")))
    bob, eve, nobody = await street.in_the_room("bob"), await street.in_the_room("eve"), await street.in_the_room()
    private = event(ChannelUpdated, channel_id=room, title="", category="", language="", playback_policy=PRIVATE)
    street.doors.town.append(private)
    for kept in street.doors.town.keeper.all():
        kept.check(time.monotonic())
    for client in (bob, nobody):
        assert (await client.hears("error")).text == "room_closed"
    street.doors.town.append(event(ChatCleared, channel_id=room))
    assert await eve.hears("cleared")
    await bob.say("still here?")
    heard = [await bob.next()]
    while heard[-1].kind != "error":
        heard.append(await bob.next())
    assert heard[-1].text == "not_joined"
    assert "cleared" not in [each.kind for each in heard]


async def test_who_is_a_moderator_no_more_is_put_out_of_a_private_room(street: Street) -> None:
    room, eves = street.room_id, user_id_of("eve")
    private = event(ChannelUpdated, channel_id=room, title="", category="", language="", playback_policy=PRIVATE)
    street.doors.town.append(private, event(ModeratorAdded, channel_id=room, target_id=eves))
    eve = await street.in_the_room("eve")
    street.doors.town.registry.away = True
    street.doors.town.append(event(ModeratorRemoved, channel_id=room, target_id=eves))
    assert (await eve.hears("error")).text == "room_closed"


async def test_whose_subscription_ends_is_put_out_of_a_room_for_subscribers(street: Street) -> None:
    town, room = street.doors.town, street.room_id
    bobs, eves = user_id_of("bob"), user_id_of("eve")
    town.registry.subscribers |= {(room, bobs), (room, eves)}
    closed = event(ChannelUpdated, channel_id=room, title="", category="", language="", playback_policy=SUBSCRIBERS)
    town.append(closed, event(VipAdded, channel_id=room, target_id=eves))
    bob, eve = await street.in_the_room("bob"), await street.in_the_room("eve")
    town.append(*(event(UserUnsubscribed, channel_id=room, subscriber_id=one) for one in (bobs, eves)))
    assert (await bob.hears("error")).text == "room_closed"
    town.append(event(ChatCleared, channel_id=room))
    assert await eve.hears("cleared")
    await bob.join("ada", room)
    assert (await bob.hears("error")).text == "room_closed"
    town.append(event(VipRemoved, channel_id=room, target_id=eves))
    assert (await eve.hears("error")).text == "room_closed"
    again = event(UserSubscribed, channel_id=room, subscriber_id=bobs, tier="1000", since=datetime.now(UTC))
    town.append(again)
    await bob.join("ada", room)
    await bob.say("subscribed again")
    assert await bob.hears("accepted")


async def test_a_repeated_event_is_told_once(street: Street) -> None:
    eve = await street.in_the_room("eve")
    raid = event(RaidReceived, channel_id=street.room_id, from_id="7", from_login="bob", viewers=12)
    street.doors.town.append(raid, raid, event(ChatCleared, channel_id=street.room_id))
    heard = [await eve.next()]
    while heard[-1].kind != "cleared":
        heard.append(await eve.next())
    assert [each.kind for each in heard if each.kind] == ["raid", "cleared"]


async def test_a_revoked_session_ends(street: Street) -> None:
    bob = await street.in_the_room("bob")
    street.doors.town.house.revoke("session-bob")
    assert await bob.hears("error")
    with pytest.raises((EOFError, ConnectionClosed)):
        while True:
            await bob.next()


async def test_before_the_server_stops_everybody_is_asked_to_connect_again(street: Street) -> None:
    bob = await street.in_the_room("bob")
    for kept in street.doors.town.keeper.all():
        assert kept.guest is not None
        kept.guest.ask_to_reconnect()
        kept.end(SERVICE_RESTART, "the server restarts")
    assert await bob.hears("reconnect")

"""What only the JSON socket has: cursors, whole messages, and answers to what was asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from commands.identity import user_id_of
from query_api.chat.cursor import Cursor
from query_api.chat.frames import SERVER_FRAMES
from query_api.chat.room import Entry, Room
from schemas.events.channel_roles import ModeratorAdded, ModeratorRemoved, VipAdded
from schemas.events.channels import PRIVATE, ChannelUpdated
from schemas.events.chat import ChatCleared, MessageSent
from schemas.events.moderation import UserBanned
from schemas.events.support import UserSubscribed
from tests.query_api.chat.clients import JsonClient
from tests.query_api.chat.town import Doors, Town, event, opened

ADA = user_id_of("ada")
BOB = user_id_of("bob")


def said(text: str, number: int = 0, **more: Any) -> MessageSent:
    return event(
        MessageSent,
        actor=BOB,
        channel_id=ADA,
        message_id=f"m-{number}",
        sender_id=BOB,
        sender_login="bob",
        text=text,
        **more,
    )


@pytest.fixture
async def bob(doors: Doors) -> AsyncIterator[JsonClient]:
    doors.town.register("bob", "ada")
    client = await JsonClient.open(doors, "bob")
    yield client
    await client.close()


async def joined(client: JsonClient, after: str | None = None) -> dict[str, Any]:
    await client.join("ada", ADA, **({"after": after} if after else {}))
    return (await client.frames_until("joined"))[-1]


async def test_joining_tells_where_one_is_how_the_room_is_run_and_who_one_is(bob: JsonClient, town: Town) -> None:
    town.append(event(ModeratorAdded, channel_id=ADA, target_id=BOB))
    frame = await joined(bob)
    assert frame["login"] == "ada"
    assert frame["room_state"]["slow_mode_s"] == 0
    assert frame["you"] == {"user": {"id": BOB, "login": "bob", "name": "Bob"}, "roles": ["moderator"]}


async def test_a_role_that_changes_is_told_at_once_to_whose_it_is(bob: JsonClient, doors: Doors) -> None:
    town = doors.town
    town.register("eve")
    await joined(bob)
    eve = await JsonClient.open(doors, "eve")
    await joined(eve)
    town.append(
        event(ModeratorAdded, channel_id=ADA, target_id=BOB),
        event(VipAdded, channel_id=user_id_of("eve"), target_id=BOB),
    )
    standing = (await bob.frames_until("standing"))[-1]
    assert standing == {
        "type": "standing",
        "room_id": ADA,
        "you": {"user": {"id": BOB, "login": "bob", "name": "Bob"}, "roles": ["moderator"]},
    }
    town.append(event(ModeratorRemoved, channel_id=ADA, target_id=BOB), event(ChatCleared, channel_id=ADA))
    assert [frame.get("you", {}).get("roles") for frame in await bob.frames_until("standing")][-1] == []
    assert [frame["type"] for frame in await eve.frames_until("cleared")] == ["cleared"]
    await eve.close()


async def test_roles_that_change_in_one_moment_are_told_once_each(bob: JsonClient, town: Town) -> None:
    await joined(bob)
    roles = (event(ModeratorAdded, channel_id=ADA, target_id=BOB), event(VipAdded, channel_id=ADA, target_id=BOB))
    town.append(*roles, event(ChatCleared, channel_id=ADA))
    told = await bob.frames_until("cleared")
    assert [frame["you"]["roles"] for frame in told[:-1]] == [["moderator"], ["moderator", "vip"]]


async def test_who_loses_the_role_while_coming_back_stays_outside(
    bob: JsonClient, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = event(ChannelUpdated, channel_id=ADA, title="", category="", language="", playback_policy=PRIVATE)
    town.append(event(ModeratorAdded, channel_id=ADA, target_id=BOB), private)
    cursor = (await joined(bob))["cursor"]
    await bob.tell(type="leave", room_id=ADA)
    missed = town.house.replays.missed

    async def dismissed_meanwhile(room: Room, since: Cursor) -> list[Entry]:
        town.append(event(ModeratorRemoved, channel_id=ADA, target_id=BOB))
        return await missed(room, since)

    monkeypatch.setattr(town.house.replays, "missed", dismissed_meanwhile)
    await bob.join("ada", ADA, after=cursor)
    assert (await bob.frames_until("error"))[-1]["code"] == "unavailable"
    await bob.join("ada", ADA, after=cursor)
    assert (await bob.frames_until("error"))[-1]["code"] == "room_closed"


async def test_a_message_comes_whole(bob: JsonClient, town: Town) -> None:
    await joined(bob)
    town.append(said("what is it?", 1))
    town.append(
        said("Kappa is @Ada here?", 2, emotes="25:0-4", badges=["moderator/1", "subscriber/3"], reply_parent_id="m-1")
    )
    await bob.frame()
    frame = await bob.frame()
    assert frame["fragments"] == [
        {"type": "emote", "text": "Kappa", "emote_id": "25"},
        {"type": "text", "text": " is "},
        {"type": "mention", "text": "@Ada", "login": "ada"},
        {"type": "text", "text": " here?"},
    ]
    assert frame["badges"] == [{"set_id": "moderator", "id": "1"}, {"set_id": "subscriber", "id": "3"}]
    assert frame["reply"]["content"] == "what is it?"
    assert frame["color"].startswith("#")


async def test_what_was_asked_is_answered_under_its_own_id(bob: JsonClient, town: Town) -> None:
    town.append(event(UserSubscribed, channel_id=ADA, subscriber_id=BOB, tier="1000", since="2026-01-01T00:00:00Z"))
    await joined(bob)
    await bob.tell(type="message", room_id=ADA, content="first", id="one")
    frames = {frame["type"]: frame for frame in [await bob.frame(), await bob.frame()]}
    assert frames["accepted"]["id"] == "one"
    assert frames["accepted"]["message_id"] == frames["message"]["id"]
    await bob.tell(type="message", room_id=ADA, content="first", id="two")
    error = await bob.frame()
    assert (error["code"], error["id"]) == ("msg_duplicate", "two")
    assert 0 < error["retry_after"] <= 30


async def test_ones_own_message_can_be_taken_back(bob: JsonClient) -> None:
    await joined(bob)
    await bob.say("oops")
    accepted = (await bob.frames_until("accepted"))[-1]
    await bob.tell(type="delete", room_id=ADA, message_id=accepted["message_id"], id="back")
    deleted = (await bob.frames_until("deleted"))[-1]
    assert deleted["message_id"] == accepted["message_id"]


async def test_a_reaction_needs_an_emote_that_is_there(bob: JsonClient) -> None:
    await joined(bob)
    await bob.tell(type="react", room_id=ADA, emote="NoSuchEmote")
    assert (await bob.frame())["code"] == "unknown_emote"


async def test_who_left_hears_no_more(bob: JsonClient, town: Town) -> None:
    await joined(bob)
    await bob.tell(type="leave", room_id=ADA)
    await bob.frames_until("left")
    town.append(said("are you there?"))
    await bob.tell(type="ping")
    assert (await bob.frame())["type"] == "pong"


@pytest.mark.parametrize("seen", [0, 1, 7, 10])
async def test_after_a_cursor_comes_what_was_missed_once_and_in_order(bob: JsonClient, town: Town, seen: int) -> None:
    cursors = [(await joined(bob))["cursor"]]
    for number in range(10):
        town.append(said(f"text {number}", number))
        cursors.append((await bob.frame())["cursor"])
    await bob.tell(type="leave", room_id=ADA)
    await bob.frames_until("left")
    town.append(said("while away", 10))
    assert (await joined(bob, cursors[seen]))["cursor"] == cursors[seen]
    town.append(said("live again", 11))
    heard = [(await bob.frame())["content"] for _ in range(12 - seen)]
    assert heard == [*(f"text {number}" for number in range(seen, 10)), "while away", "live again"]


async def test_a_cursor_holds_in_another_process(town: Town) -> None:
    town.register("bob", "ada")
    async with opened(town) as doors:
        bob = await JsonClient.open(doors, "bob")
        await joined(bob)
        town.append(said("seen", 1), event(UserBanned, channel_id=ADA, target_id="9"))
        cursor = (await bob.frames_until("user_banned"))[-1]["cursor"]
    town.append(said("missed", 2), event(ChatCleared, channel_id=ADA), event(UserBanned, channel_id=ADA, target_id="8"))
    town.restart()
    async with opened(town) as doors:
        bob = await JsonClient.open(doors, "bob")
        await joined(bob, cursor)
        frames = await bob.frames_until("user_banned")
        assert [frame["type"] for frame in frames] == ["message", "cleared", "user_banned"]
        assert frames[0]["content"] == "missed"
        await bob.close()


async def test_a_cursor_that_is_too_old_says_where_the_history_is(town: Town) -> None:
    town.register("bob", "ada")
    async with opened(town, room_backlog=3, replay_records=0) as doors:
        bob = await JsonClient.open(doors, "bob")
        cursor = (await joined(bob))["cursor"]
        for number in range(5):
            town.append(said(f"text {number}", number))
        await bob.tell(type="leave", room_id=ADA)
        await bob.join("ada", ADA, after=cursor)
        error = (await bob.frames_until("error"))[-1]
        assert error["code"] == "cursor_too_old"
        assert error["history"] == f"/helix/chat/messages?broadcaster_id={ADA}"
        assert (await joined(bob))["type"] == "joined"
        await bob.close()


async def test_more_than_a_connection_may_leave_unread_is_not_replayed(town: Town) -> None:
    town.register("bob", "ada")
    async with opened(town, replay_bytes=1_000) as doors:
        bob = await JsonClient.open(doors, "bob")
        cursor = (await joined(bob))["cursor"]
        await bob.tell(type="leave", room_id=ADA)
        town.append(said("short", 1))
        await bob.frames_until("left")
        await joined(bob, cursor)
        await bob.tell(type="leave", room_id=ADA)
        town.append(said("x" * 400, 2))
        await bob.frames_until("left")
        await bob.join("ada", ADA, after=cursor)
        assert (await bob.frame())["code"] == "cursor_too_old"
        await bob.close()


async def test_who_signs_in_later_is_a_chatter_of_the_rooms_joined_before(bob: JsonClient, town: Town) -> None:
    await bob.tell(type="join", room_id=ADA)
    await bob.frames_until("joined")
    await bob.join("bob", BOB)
    await bob.frames_until("joined")
    await bob.tell(type="leave", room_id=ADA)
    await bob.frames_until("left")
    ada, own = town.house.rooms.get(ADA), town.house.rooms.get(BOB)
    assert ada is not None
    assert own is not None
    assert (ada.chatters.total, own.chatters.total) == (0, 1)


@pytest.mark.parametrize("cursor", ["x", "0:0:0", "9:0:0:0", "1:0:0:0:0", "-1:0:0:0"])
async def test_a_cursor_of_nowhere_is_refused(bob: JsonClient, cursor: str) -> None:
    await bob.join("ada", ADA, after=cursor)
    assert (await bob.frame())["code"] == "cursor_unknown"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("not json", "Invalid JSON"),
        ("[]", "object"),
        ("{}", "type"),
        ('{"type":"dance"}', "dance"),
        ('{"type":"join"}', "join.room_id"),
        ('{"type":"join","room_id":"1","colour":"red"}', "join.colour"),
        ('{"type":"join","room_id":"../1"}', "join.room_id"),
        ('{"type":"message","room_id":"1","content":""}', "message.content"),
        ("[" * 4000, "recursion"),
    ],
)
async def test_a_frame_that_is_wrong_is_told_what_is_wrong_and_the_connection_lives(
    bob: JsonClient, text: str, named: str
) -> None:
    await bob.connection.send(text)
    error = await bob.frame()
    assert error["code"] == "bad_frame"
    assert named in error["text"]
    await bob.tell(type="ping")
    assert (await bob.frame())["type"] == "pong"


async def test_speaking_before_joining_is_refused(bob: JsonClient) -> None:
    await bob.tell(type="message", room_id=ADA, content="hello")
    assert (await bob.frame())["code"] == "not_joined"


async def test_a_forged_token_is_refused(bob: JsonClient) -> None:
    await bob.tell(type="join", room_id=ADA, token="token-mallory")
    assert (await bob.frame())["code"] == "bad_token"


async def test_a_token_that_may_only_read_does_not_speak(bob: JsonClient, town: Town) -> None:
    town.registry.scopes = frozenset()
    await joined(bob)
    await bob.say("hello")
    assert (await bob.frame())["code"] == "missing_scope"


async def test_while_postgres_is_away_joining_says_so(bob: JsonClient, town: Town) -> None:
    town.registry.away = True
    await bob.join("ada", ADA)
    error = await bob.frame()
    assert (error["code"], error["retry_after"]) == ("unavailable", 1.0)


async def test_every_control_character_becomes_a_space(bob: JsonClient) -> None:
    await joined(bob)
    await bob.say("one\r\nPRIVMSG #ada :two\0three\u0085four")
    frame = (await bob.frames_until("message"))[-1]
    assert frame["content"] == "one  PRIVMSG #ada :two three four"


async def test_text_is_data_whatever_it_looks_like(bob: JsonClient) -> None:
    await joined(bob)
    text = "<script>alert(1)</script> \u202etxet Z\u0335\u0321a\u0336l\u0337g\u0338o &amp;"
    await bob.say(text)
    frame = (await bob.frames_until("message"))[-1]
    assert frame["content"] == text
    assert SERVER_FRAMES.validate_json(json.dumps(frame)).type == "message"

"""What a process remembers of a user goes when the user is erased."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from query_api.chat.facts import Facts
from query_api.chat.views import SHOWN, frame_of, without
from schemas.events.chat import MessageDeleted, RaidReceived
from schemas.events.moderation import UserBanned
from schemas.message import Event
from schemas.sealing import personal_of
from tests.query_api.chat.clients import IrcClient, JsonClient
from tests.query_api.chat.test_json_socket import ADA, BOB, joined, said
from tests.query_api.chat.town import Doors, Town, event
from tests.schemas.records import messages

SECRET = "my secret"
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def others(text: str, number: int, **more: Any) -> Any:
    return said(text, number, **more).model_copy(update={"sender_id": ADA, "sender_login": "ada", "actor": ADA})


@pytest.fixture(autouse=True)
def people(town: Town) -> None:
    town.register("bob", "ada")


@pytest.fixture
async def start(doors: Doors) -> str:
    """Bob spoke, was answered, was banned, and raided; the cursor after which all of it comes."""
    reader = await JsonClient.open(doors)
    cursor: str = (await joined(reader))["cursor"]
    doors.town.append(
        said(SECRET, 1, sender_name="Bob the Secret"),
        others("I heard you", 2, reply_parent_id="m-1"),
        event(UserBanned, channel_id=ADA, target_id=BOB).model_copy(update={"target_login": "bob"}),
        event(RaidReceived, channel_id=ADA, from_id=BOB, from_login="bob", viewers=3),
    )
    heard = await reader.frames_until("raid")
    assert heard[0]["content"] == SECRET
    assert heard[1]["reply"]["content"] == SECRET
    await reader.close()
    return cursor


async def test_who_comes_back_is_shown_nothing_of_the_erased_and_all_of_the_others(doors: Doors, start: str) -> None:
    doors.town.house.rooms.forget({BOB})
    reader = await JsonClient.open(doors)
    await joined(reader, start)
    message, answer, ban, raid = await reader.frames_until("raid")
    assert message["id"] == "m-1"
    assert (message["content"], message["fragments"]) == ("", [])
    assert message["user"] == {"id": BOB, "login": "", "name": ""}
    assert (answer["content"], answer["user"]["login"]) == ("I heard you", "ada")
    assert answer["reply"] == {"message_id": "m-1"}
    assert (ban["user_id"], ban["login"]) == (BOB, "")
    assert raid["user"] == {"id": BOB, "login": "", "name": ""}
    await reader.close()


@pytest.mark.parametrize("model", [each for each in SHOWN if personal_of(each)], ids=lambda model: model.__name__)
def test_no_kind_of_frame_keeps_a_personal_text(model: type[Event]) -> None:
    personal = personal_of(model)
    assert personal

    @given(messages(model))
    @settings(max_examples=10)
    def forgotten(made: Event) -> None:
        facts = {name: NOON for name, value in made if isinstance(value, datetime)} | {"channel_id": ADA}
        texts = {name: SECRET for name, _ in personal.fields} | {about: BOB for _, about in personal.fields}
        frame = frame_of(made.model_copy(update=facts | texts), Facts(), {})
        assert frame is not None
        assert SECRET in frame.to_json().decode()
        assert SECRET not in without(frame, {BOB}).to_json().decode()

    forgotten()


async def test_what_is_said_of_it_later_quotes_nothing(doors: Doors, start: str) -> None:
    doors.town.house.rooms.forget({BOB})
    bot, reader = await IrcClient.open(doors), await JsonClient.open(doors)
    await joined(reader)
    await bot.join("ada", ADA)
    await bot.until("ROOMSTATE")
    doors.town.append(
        others("once more", 3, reply_parent_id="m-1"),
        event(MessageDeleted, channel_id=ADA, message_id="m-1", sender_id=BOB),
        event(UserBanned, channel_id=ADA, target_id=BOB),
    )
    assert (await reader.frames_until("message"))[-1]["reply"] == {
        "message_id": "m-1",
        "user": {"id": BOB, "login": "", "name": ""},
        "content": "",
    }
    tags = (await bot.until("PRIVMSG")).tags
    assert (tags["reply-parent-msg-body"], tags["reply-parent-user-login"]) == ("", "")
    cleared = await bot.until("CLEARMSG")
    assert (cleared.tags["login"], cleared.params) == ("", ("#ada", ""))
    assert (await bot.until("CLEARCHAT")).params == ("#ada", BOB)
    for client in (bot, reader):
        await client.close()


async def test_nobody_elses_words_are_touched(doors: Doors, start: str) -> None:
    doors.town.house.rooms.forget({"12345"})
    reader = await JsonClient.open(doors)
    await joined(reader, start)
    assert (await reader.frames_until("raid"))[0]["content"] == SECRET
    await reader.close()


async def test_a_room_opened_later_knows_no_name_of_the_erased(doors: Doors) -> None:
    """What is kept of `channels` for rooms to come is decoded already."""
    banned = event(UserBanned, channel_id=BOB, target_id=ADA).model_copy(update={"target_login": "ada", "reason": "x"})
    doors.town.append(banned)
    doors.town.house.rooms.forget({ADA})
    texts = [kept.content for place in doors.town.house.rooms._partitions for kept in place.kept]
    assert [(each.target_login, each.reason) for each in texts if isinstance(each, UserBanned)] == [("", "")]


async def test_the_channel_of_an_erased_user_is_no_room(doors: Doors) -> None:
    doors.town.registry.logins[BOB] = ""
    reader = await JsonClient.open(doors)
    await reader.join("bob", BOB)
    assert (await reader.frame())["code"] == "unknown_room"
    await reader.close()

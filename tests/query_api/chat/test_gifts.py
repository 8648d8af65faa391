"""What viewers give, as a room is told: at both doors, once, and within reach of the moderators."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from query_api.chat.frames import SERVER_FRAMES
from schemas.events.channel_roles import ModeratorAdded
from schemas.events.chat import RaidReceived
from schemas.events.support import DonationReceived, UserSubscribed
from tests.query_api.chat.clients import IrcClient, JsonClient
from tests.query_api.chat.test_json_socket import ADA, BOB, joined, said
from tests.query_api.chat.town import Doors, Town, event


@pytest.fixture
async def bob(doors: Doors) -> AsyncIterator[JsonClient]:
    doors.town.register("bob", "ada")
    client = await JsonClient.open(doors, "bob")
    yield client
    await client.close()


@pytest.fixture
async def bot(doors: Doors) -> AsyncIterator[IrcClient]:
    doors.town.register("bob", "ada")
    client = await IrcClient.open(doors, "ada")
    await client.join("ada", ADA)
    await client.until("ROOMSTATE")
    yield client
    await client.close()


def given(message: str, amount_minor: int = 500, currency: str = "EUR", **more: Any) -> DonationReceived:
    facts: dict[str, Any] = {
        "channel_id": ADA,
        "donation_id": "d-1",
        "donor_id": BOB,
        "donor_login": "bob",
        "donor_name": "Bob",
        "amount_minor": amount_minor,
        "currency": currency,
        "message": message,
    }
    return event(DonationReceived, actor=BOB, **facts | more)


def subscribed(tier: str = "1000", months_ago: int | None = None) -> UserSubscribed:
    """Now, or with the tier changed now."""
    since = datetime.now(UTC) - timedelta(days=30 * (months_ago or 0))
    facts: dict[str, Any] = {"subscriber_login": "bob", "subscriber_name": "Bob", "tier": tier, "since": since}
    made = event(UserSubscribed, actor=BOB, channel_id=ADA, subscriber_id=BOB, **facts)
    return made.model_copy(update={"occurred_at": since}) if months_ago is None else made


async def test_what_is_said_with_a_donation_is_a_message_that_begins_with_the_amount(
    bob: JsonClient, town: Town
) -> None:
    await joined(bob)
    town.append(event(ModeratorAdded, channel_id=ADA, target_id=BOB))
    town.append(given(":wave: @Ada", emotes="1f44b:0-5"))
    frame = (await bob.frames_until("message"))[-1]
    cheer = {"amount_minor": 500, "currency": "EUR"}
    assert (frame["type"], frame["id"], frame["user"]["name"]) == ("message", "d-1", "Bob")
    assert (frame["content"], frame["cheer"]) == ("5.00 EUR :wave: @Ada", cheer)
    assert frame["badges"] == [{"set_id": "moderator", "id": "1"}]
    assert frame["fragments"] == [
        {"type": "cheer", "text": "5.00 EUR", "cheer": cheer},
        {"type": "text", "text": " "},
        {"type": "emote", "text": ":wave:", "emote_id": "1f44b"},
        {"type": "text", "text": " "},
        {"type": "mention", "text": "@Ada", "login": "ada"},
    ]
    SERVER_FRAMES.validate_python(frame)


async def test_who_gives_silently_stays_silent(bob: JsonClient, town: Town) -> None:
    await joined(bob)
    town.append(given(""), said("next"))
    assert (await bob.frame())["content"] == "next"


async def test_nobody_can_type_an_amount_that_counts(bob: JsonClient) -> None:
    await joined(bob)
    await bob.say("5.00 EUR thanks")
    frame = (await bob.frames_until("message"))[-1]
    assert "cheer" not in frame
    assert [fragment["type"] for fragment in frame["fragments"]] == ["text"]


async def test_moderators_take_back_what_was_said_with_a_donation(bob: JsonClient, bot: IrcClient, town: Town) -> None:
    town.append(event(ModeratorAdded, channel_id=ADA, target_id=BOB))
    await joined(bob)
    town.append(given("rude words"))
    await bob.frames_until("message")
    await bob.tell(type="delete", room_id=ADA, message_id="d-1")
    assert (await bob.frames_until("deleted"))[-1]["message_id"] == "d-1"
    assert (await bot.until("CLEARMSG")).tags["target-msg-id"] == "d-1"


async def test_it_can_be_answered(bob: JsonClient, town: Town) -> None:
    await joined(bob)
    town.append(given("what do you play?"))
    await bob.frame()
    await bob.tell(type="message", room_id=ADA, content="chess", reply_to="d-1")
    reply = (await bob.frames_until("message"))[-1]["reply"]
    assert (reply["user"]["login"], reply["content"]) == ("bob", "5.00 EUR what do you play?")


async def test_a_subscription_is_told_with_tier_and_months(bob: JsonClient, town: Town) -> None:
    await joined(bob)
    town.append(subscribed(), subscribed("2000", months_ago=2))
    first, changed = await bob.frame(), await bob.frame()
    assert (first["type"], first["user"]["login"], first["tier"], first["months"]) == ("subscription", "bob", "1000", 1)
    assert first["since"] == first["timestamp"]
    assert (changed["tier"], changed["months"]) == ("2000", 3)
    SERVER_FRAMES.validate_python(changed)


async def test_gifts_missed_are_told_after_a_cursor_once(bob: JsonClient, town: Town) -> None:
    cursor = (await joined(bob))["cursor"]
    town.append(said("before"), given("thanks"), subscribed())
    await bob.frame()
    seen = (await bob.frame())["cursor"]
    await bob.tell(type="leave", room_id=ADA)
    await bob.frames_until("left")
    town.restart()
    for after, missed in ((cursor, ["message", "message", "subscription"]), (seen, ["subscription"])):
        await joined(bob, after)
        await bob.tell(type="ping")
        assert [frame["type"] for frame in await bob.frames_until("pong")] == [*missed, "pong"]
        await bob.tell(type="leave", room_id=ADA)
        await bob.frames_until("left")


async def test_a_donation_is_a_notice_with_its_amount_and_without_bits(bot: IrcClient, town: Town) -> None:
    town.append(given(":wave: hi", 500, "JPY", emotes="1f44b:0-5"))
    notice = await bot.until("USERNOTICE")
    assert notice.params == ("#ada", "500 JPY :wave: hi")
    assert notice.tags["emotes"] == "1f44b:8-13"
    named = ("msg-id", "login", "msg-param-donation-amount", "msg-param-donation-currency", "msg-param-exponent")
    assert [notice.tags[name] for name in named] == ["donation", "bob", "500", "JPY", "0"]
    assert notice.tags["system-msg"] == "Bob gave 500 JPY!"
    assert "bits" not in notice.tags


async def test_a_subscription_is_a_notice_in_twitchs_words(bot: IrcClient, town: Town) -> None:
    town.append(event(ModeratorAdded, channel_id=ADA, target_id=BOB), subscribed(), subscribed("3000", months_ago=5))
    first, changed = await bot.until("USERNOTICE"), await bot.until("USERNOTICE")
    assert first.params == ("#ada",)
    assert {name: first.tags[name] for name in first.tags if name.startswith(("msg", "system", "badge", "login"))} == {
        "badge-info": "subscriber/1",
        "badges": "moderator/1,subscriber/1",
        "login": "bob",
        "msg-id": "sub",
        "msg-param-cumulative-months": "1",
        "msg-param-should-share-streak": "0",
        "msg-param-sub-plan": "1000",
        "msg-param-sub-plan-name": "Tier 1",
        "system-msg": "Bob subscribed at Tier 1.",
    }
    assert (changed.tags["msg-id"], changed.tags["msg-param-sub-plan"]) == ("resub", "3000")
    assert changed.tags["msg-param-cumulative-months"] == changed.tags["msg-param-streak-months"] == "6"
    assert changed.tags["system-msg"] == "Bob subscribed at Tier 3. They've subscribed for 6 months!"
    assert (changed.tags["subscriber"], changed.tags["mod"], changed.tags["user-type"]) == ("1", "1", "mod")


async def test_every_notice_names_its_kind_its_user_and_its_room(bot: IrcClient, town: Town) -> None:
    raid = event(RaidReceived, channel_id=ADA, from_id=BOB, from_login="bob", from_name="Bob", viewers=12)
    town.append(raid, said("look", announcement="blue", sender_name="Bob"), given("thanks"), subscribed())
    common = {"login": "bob", "display-name": "Bob", "user-id": BOB, "room-id": ADA}
    for kind in ("raid", "announcement", "donation", "sub"):
        notice = await bot.until("USERNOTICE")
        assert notice.tags["msg-id"] == kind
        assert {name: notice.tags[name] for name in common} == common
        assert {"system-msg", "tmi-sent-ts", "badges", "badge-info", "color", "mod", "subscriber"} <= set(notice.tags)
        assert notice.tags["id"]


async def test_what_cannot_be_of_ours_does_not_stop_a_room(bob: JsonClient, town: Town) -> None:
    """The log is read by many; a currency or tier that no decider of today lets through is shown as it is."""
    await joined(bob)
    town.append(given("hi", currency="XTS"), subscribed("prime"), said("still here"))
    assert [(await bob.frame()).get("content") for _ in range(3)] == ["5.00 XTS hi", None, "still here"]

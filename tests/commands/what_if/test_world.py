"""What another policy would have decided of what was said."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.rejection import Rejected
from commands.what_if.report import what_if
from commands.what_if.wanted import BadSettings, Wanted, load
from schemas.events.accounts import UserRegistered
from schemas.events.channel_roles import ModeratorAdded
from schemas.events.chat import HeldMessageResolved, MessageHeld, MessageRefused, MessageSent
from schemas.events.chat_policy import AutoModSettingsUpdated, BlockedTermAdded, ChatSettingsUpdated
from schemas.events.follows import UserFollowed
from schemas.events.moderation import UserBanned
from schemas.message import Event
from tests.commands.scenario import ADA, BOB, NOON, happened

CAT = "1003"
ADA_EXISTS = happened(UserRegistered, user_id=ADA, login="ada", display_name="Ada", password_hash="h")


def _by(event: Any, user_id: str) -> Any:
    return event.model_copy(update={"actor": user_id})


def sent(text: str, at_s: float = 0.0, by: str = BOB, message_id: str = "m", **facts: Any) -> MessageSent:
    known: dict[str, Any] = {
        "channel_id": ADA,
        "message_id": message_id,
        "sender_id": by,
        "sender_login": "bob",
        "text": text,
    }
    event: MessageSent = _by(happened(MessageSent, at_s, **known, **facts), by)
    return event


def held(text: str, at_s: float = 0.0, message_id: str = "h") -> MessageHeld:
    known: dict[str, Any] = {
        "channel_id": ADA,
        "message_id": message_id,
        "sender_id": BOB,
        "sender_login": "bob",
        "text": text,
    }
    event: MessageHeld = _by(happened(MessageHeld, at_s, **known, rule="category", category="swearing", level=3), BOB)
    return event


def refused(text: str, rule: str = "link", at_s: float = 0.0) -> MessageRefused:
    known: dict[str, Any] = {
        "channel_id": ADA,
        "message_id": "r",
        "sender_id": BOB,
        "sender_login": "bob",
        "text": text,
    }
    event: MessageRefused = _by(happened(MessageRefused, at_s, **known, rule=rule), BOB)
    return event


def allowed(message_id: str = "h", at_s: float = 1.0) -> list[Event]:
    resolved = happened(HeldMessageResolved, at_s, channel_id=ADA, message_id=message_id, sender_id=BOB, allowed=True)
    return [resolved, sent("shit", at_s, message_id=message_id).model_copy(update={"actor": ADA})]


def changes(wanted: dict[str, Any], *events: Event, since_s: float = 0.0) -> dict[tuple[str, str], int]:
    report = what_if([ADA_EXISTS, *events], Wanted.model_validate(wanted), NOON + timedelta(seconds=since_s))
    return {(str(was), str(would_be)): count for (was, would_be), count in report.changes.items()}


def test_the_same_policy_changes_nothing() -> None:
    strict = happened(AutoModSettingsUpdated, channel_id=ADA, levels={"swearing": 3})

    assert changes({}, strict, sent("hello"), held("shit", 1)) == {}


def test_a_stricter_policy_stops_more() -> None:
    wanted = {"automod": {"levels": {"swearing": 3}, "block_links": True}, "blocked_terms": ["spoiler*"]}

    assert changes(wanted, sent("hello"), sent("oh shit", 1), sent("example.com", 2), sent("spoilers!", 3)) == {
        ("sent", "held: category swearing"): 1,
        ("sent", "refused: link"): 1,
        ("sent", "refused: blocked_term"): 1,
    }


def test_a_laxer_policy_lets_through() -> None:
    strict = happened(AutoModSettingsUpdated, channel_id=ADA, levels={"swearing": 4}, block_links=True)

    assert changes(
        {"automod": {"levels": {"swearing": 0}, "block_links": False}}, strict, held("shit"), refused("example.com")
    ) == {("held: category swearing", "sent"): 1, ("refused: link", "sent"): 1}


def test_what_is_not_named_stays_as_the_channel_had_it_at_the_time() -> None:
    term = happened(BlockedTermAdded, 5, channel_id=ADA, term_id="t", text="spoiler")
    slower = happened(ChatSettingsUpdated, 5, channel_id=ADA, slow_mode_s=30)
    wanted = {"automod": {"block_links": True}}

    later = [sent("other", 10), refused("a spoiler", "blocked_term", at_s=40)]

    assert changes(wanted, sent("spoiler", 1), term, slower, *later) == {("sent", "refused: msg_slowmode"): 1}


def test_in_slow_mode_what_is_refused_does_not_count() -> None:
    five = [sent(f"number {n}", at_s=10 * n) for n in range(5)]

    assert changes({"chat": {"slow_mode_s": 30}}, *five) == {("sent", "refused: msg_slowmode"): 3}


def test_followers_are_who_followed_by_then() -> None:
    followed = happened(UserFollowed, 5, channel_id=ADA, follower_id=BOB)

    assert changes({"chat": {"follower_mode": True}}, sent("before"), followed, sent("after", 6)) == {
        ("sent", "refused: msg_followersonly"): 1
    }


def test_before_the_time_asked_about_nothing_is_judged_but_all_is_known() -> None:
    assert changes(
        {"chat": {"unique_chat_mode": True}}, sent("such a play", by=CAT), sent("such a play", 100), since_s=50
    ) == {("sent", "refused: msg_unique"): 1}


def test_moderators_and_bans_stay_what_they_were() -> None:
    moderates = happened(ModeratorAdded, channel_id=ADA, target_id=BOB)
    banned = happened(UserBanned, 5, channel_id=ADA, target_id=BOB)
    strict = {"automod": {"levels": {"swearing": 4}}}

    assert changes(strict, moderates, sent("shit")) == {}
    assert changes(strict, banned) == {}


def test_a_held_message_that_was_allowed_is_decided_once() -> None:
    strict = happened(AutoModSettingsUpdated, channel_id=ADA, levels={"swearing": 3})

    assert changes({"automod": {"levels": {"swearing": 0}}}, strict, held("shit"), *allowed()) == {
        ("held: category swearing", "sent"): 1
    }
    assert changes({}, strict, held("shit"), *allowed()) == {}


def test_what_moderators_allowed_counts_where_it_is_held_too() -> None:
    unique = {"chat": {"unique_chat_mode": True}}
    strict = happened(AutoModSettingsUpdated, channel_id=ADA, levels={"swearing": 3})
    again = sent("this shit again", 100, by=CAT)
    long = held("this shit again")
    let_through = [allowed()[0], sent("this shit again", 1, message_id="h").model_copy(update={"actor": ADA})]

    assert changes(unique, strict, long, *let_through, again) == {("sent", "refused: msg_unique"): 1}


def test_an_announcement_is_nobodys_to_judge() -> None:
    assert changes({"automod": {"levels": {"swearing": 4}}}, sent("shit", announcement="blue")) == {}


def test_examples_are_kept_up_to_a_number() -> None:
    many = [sent(f"shit number {n}", at_s=n, by=str(n)) for n in range(9)]
    wanted = Wanted.model_validate({"automod": {"levels": {"swearing": 3}}})

    told = what_if([ADA_EXISTS, *many], wanted, NOON, examples=2).as_json()

    assert (told["judged"], told["changed"]) == (9, 9)
    (change,) = told["changes"]
    assert change["count"] == 9
    assert [example["text"] for example in change["examples"]] == ["shit number 0", "shit number 1"]


def test_a_policy_that_does_not_go_with_the_channels_is_said() -> None:
    with pytest.raises(Rejected) as refusal:
        changes({"chat": {"slow_mode_s": 2}}, sent("hello"))
    assert refusal.value.code == "bad_slow_mode"


class TestTheFile:
    def test_toml_and_json_say_the_same(self, tmp_path: Path) -> None:
        toml, json = tmp_path / "policy.toml", tmp_path / "policy.json"
        toml.write_text('blocked_terms = ["spoiler*"]\n[automod]\nblock_links = true\n[automod.levels]\nswearing = 2\n')
        json.write_text('{"blocked_terms": ["spoiler*"], "automod": {"block_links": true, "levels": {"swearing": 2}}}')

        assert load(toml) == load(json)

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ("automod = 3", "automod"),
            ("[automod]\nblock_link = true", "block_link"),
            ("[automod.levels]\nswearing = 5", "bad_level"),
            ("[automod.levels]\nrudeness = 1", "rudeness"),
            ("[chat]\nslow_mode_s = 1000", "bad_slow_mode"),
            ('blocked_terms = ["!"]', "bad_term"),
            ("= nonsense", "line 1"),
        ],
    )
    def test_a_wrong_one_is_told_what_is_wrong(self, tmp_path: Path, text: str, named: str) -> None:
        path = tmp_path / "policy.toml"
        path.write_text(text)

        with pytest.raises(BadSettings, match=named):
            load(path)

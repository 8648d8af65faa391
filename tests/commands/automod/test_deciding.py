"""What AutoMod does to what is said in a channel: refused, held, taught."""

from __future__ import annotations

from typing import Any

import pytest

from commands.automod.model import LEVELS, features_of
from commands.automod.reading import read
from commands.automod.verdict import VERSION
from commands.deciders import chat
from commands.identity import derived_id
from schemas.commands.chat import SendMessage
from schemas.events.accounts import UserRegistered
from schemas.events.channel_roles import ModeratorAdded, VipAdded
from schemas.events.chat import MessageHeld, MessageRefused, MessageSent
from schemas.events.chat_policy import (
    AutoModSettingsUpdated,
    BlockedTermAdded,
    BlockedTermRemoved,
    ShieldModeChanged,
)
from schemas.events.lessons import LessonTaught
from schemas.message import Event
from tests.commands.scenario import ADA, BOB, Scenario, happened, wish

ADA_EXISTS = happened(UserRegistered, user_id=ADA, login="ada", display_name="Ada", password_hash="h")
BOB_MODERATES = happened(ModeratorAdded, channel_id=ADA, target_id=BOB)
BOB_IS_A_VIP = happened(VipAdded, channel_id=ADA, target_id=BOB)
PASTA = "I have been watching this channel every single day since the very first stream and so should you"


def say(text: str, actor: str = BOB) -> SendMessage:
    return wish(SendMessage, actor=actor, command_id="m-1", channel_id=ADA, sender_login="bob", text=text)


def blocked(text: str, term_id: str = "t1") -> BlockedTermAdded:
    return happened(BlockedTermAdded, channel_id=ADA, term_id=term_id, text=text)


def automod(**facts: Any) -> AutoModSettingsUpdated:
    return happened(AutoModSettingsUpdated, channel_id=ADA, **facts)


def said(text: str, **facts: Any) -> dict[str, Any]:
    known = {"channel_id": ADA, "message_id": derived_id("m-1", 0), "sender_id": BOB, "sender_login": "bob"}
    return known | {"text": text} | facts


def sent(text: str, **facts: Any) -> MessageSent:
    return happened(MessageSent, **said(text, **facts))


def refused(text: str, rule: str, category: str = "") -> MessageRefused:
    return happened(MessageRefused, **said(text, rule=rule, category=category, model_version=VERSION))


def held(text: str, rule: str, category: str, level: int, score: float = 0.0) -> MessageHeld:
    return happened(
        MessageHeld, **said(text, rule=rule, category=category, level=level, score=score, model_version=VERSION)
    )


def room(*events: Event) -> Scenario:
    return Scenario(chat).given(ADA_EXISTS, *events)


class TestRefusing:
    def test_a_blocked_term_is_refused_by_its_id(self) -> None:
        room(blocked("spoil*")).when(say("no SPO1LERS please")).then(
            refused("no SPO1LERS please", "blocked_term", "t1")
        )

    def test_a_removed_term_may_be_said(self) -> None:
        removed = happened(BlockedTermRemoved, channel_id=ADA, term_id="t1")
        room(blocked("spoiler"), removed).when(say("spoiler")).then(sent("spoiler"))
        room(removed).when(say("spoiler")).then(sent("spoiler"))

    def test_links_are_refused_where_the_channel_says_so(self) -> None:
        room(automod(block_links=True)).when(say("see example.com")).then(refused("see example.com", "link"))
        room().when(say("see example.com")).then(sent("see example.com"))

    def test_spam_is_refused_where_the_channel_says_so(self) -> None:
        shout = "EVERYBODY LOOK AT ME RIGHT NOW PLEASE"
        room(automod(block_spam=True)).when(say(shout)).then(refused(shout, "spam", "capitals"))
        room().when(say(shout)).then(sent(shout))

    def test_the_fourth_to_say_the_same_is_refused(self) -> None:
        copies = [sent(PASTA, sender_id=str(user), message_id=f"m{user}") for user in (1, 2, 3)]
        copies = [copy.model_copy(update={"actor": copy.sender_id}) for copy in copies]
        room(automod(block_spam=True), *copies[:2]).when(say(PASTA)).then(sent(PASTA))
        room(automod(block_spam=True), *copies).when(say(PASTA)).then(refused(PASTA, "spam", "copies"))

    def test_the_sender_is_told(self) -> None:
        answer = chat.reply(refused("x", "link"))
        assert answer["drop_code"] == "msg_rejected_mandatory"
        assert answer["message_id"] == derived_id("m-1", 0)


class TestHolding:
    def test_a_word_of_a_category_is_held_with_its_level(self) -> None:
        strict = automod(levels={"swearing": 3})
        room(strict).when(say("oh sh!t")).then(held("oh sh!t", "category", "swearing", 3))
        room(strict).when(say("oh damn")).then(sent("oh damn"))

    def test_the_model_holds_with_its_score(self) -> None:
        text = "you are an idiot"
        command = say(text)
        state = chat.initial_state()
        for event in (ADA_EXISTS, automod(toxicity_level=3)):
            state = chat.evolve(state, event)
        (stopped,) = chat.decide(command, state)

        assert isinstance(stopped, MessageHeld)
        assert (stopped.rule, stopped.category, stopped.level) == ("model", "toxicity", 3)
        assert LEVELS[2] <= stopped.score < LEVELS[1]
        assert stopped.model_version == VERSION

    def test_what_is_refused_is_not_held(self) -> None:
        room(automod(levels={"swearing": 3}), blocked("shit")).when(say("shit")).then(
            refused("shit", "blocked_term", "t1")
        )

    def test_the_shield_stops_all_that_can_be_stopped(self) -> None:
        up = happened(ShieldModeChanged, channel_id=ADA, active=True)
        room(up, BOB_IS_A_VIP).when(say("oh damn")).then(held("oh damn", "category", "swearing", 4))


class TestExemptions:
    settings = automod(levels={"swearing": 4}, toxicity_level=4, block_links=True, block_spam=True)

    @pytest.mark.parametrize("text", ["shit", "spoiler", "example.com", "A" * 40])
    def test_the_owner_and_moderators_say_what_they_like(self, text: str) -> None:
        room(self.settings, blocked("spoiler")).when(say(text, actor=ADA)).then(
            sent(text, sender_id=ADA, badges=["broadcaster/1"])
        )
        room(self.settings, blocked("spoiler"), BOB_MODERATES).when(say(text)).then(sent(text, badges=["moderator/1"]))

    def test_a_vip_may_link_and_is_held_for_all_else(self) -> None:
        room(self.settings, BOB_IS_A_VIP).when(say("example.com")).then(sent("example.com", badges=["vip/1"]))
        room(self.settings, BOB_IS_A_VIP).when(say("shit")).then(held("shit", "category", "swearing", 3))


class TestTeaching:
    text = "you are an idiot"

    def lesson(self, number: int, allowed: bool) -> LessonTaught:
        message_id = f"held-{number}"
        return happened(
            LessonTaught, channel_id=ADA, message_id=message_id, sender_id=BOB, text=self.text, allowed=allowed
        )

    def test_what_moderators_allow_is_held_no_more(self) -> None:
        lessons = [self.lesson(number, allowed=True) for number in range(4)]
        later = say(self.text).model_copy(update={"issued_at": say("x", ADA).issued_at.replace(hour=13)})

        room(automod(toxicity_level=4), *lessons).when(later).then(sent(self.text))

    def test_a_channel_is_not_taught_by_another(self) -> None:
        state = chat.initial_state()
        for event in (ADA_EXISTS, automod(toxicity_level=4)):
            state = chat.evolve(state, event)
        assert isinstance(chat.decide(say(self.text), state)[0], MessageHeld)

    def test_what_was_taught_outlives_what_was_said(self) -> None:
        lessons = [self.lesson(number, allowed=number % 3 > 0) for number in range(6)]
        chatter = [sent(f"number {number}", sender_id=str(number)) for number in range(50)]
        live, rebuilt = chat.initial_state(), chat.initial_state()
        for event in (*lessons[:3], *chatter, *lessons[3:], *chatter):
            live = chat.evolve(live, event)
        for event in (*lessons, *chatter[-10:]):
            rebuilt = chat.evolve(rebuilt, event)
        features = features_of(read(self.text).folded)

        taught = live.lessons.taught(features)
        assert taught
        assert taught == rebuilt.lessons.taught(features)

"""What may be said in a channel, by whom, and how often."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from commands.deciders import chat
from commands.identity import derived_id
from commands.rejection import Rejected
from schemas.commands.chat import Announce, ClearChat, DeleteMessage, Raid, React, ResolveHeldMessage, SendMessage
from schemas.events.accounts import UserRegistered
from schemas.events.channel_roles import ModeratorAdded, VipAdded
from schemas.events.channels import PRIVATE, PUBLIC, SUBSCRIBERS, ChannelUpdated
from schemas.events.chat import (
    ChatCleared,
    HeldMessageResolved,
    MessageDeleted,
    MessageHeld,
    MessageSent,
    RaidReceived,
    Reacted,
)
from schemas.events.chat_policy import ChatSettingsUpdated, ShieldModeChanged
from schemas.events.emotes import EmoteAdded
from schemas.events.follows import UserFollowed
from schemas.events.lessons import LessonTaught
from schemas.events.moderation import UserBanned, UserUnbanned, UserWarned, WarningAcknowledged
from schemas.events.support import DonationReceived, UserSubscribed
from schemas.message import Event
from tests.commands.scenario import ADA, BOB, NOON, Scenario, happened, wish

CAT = "1003"
ADA_EXISTS = happened(UserRegistered, user_id=ADA, login="ada", display_name="Ada", password_hash="h")
BOB_MODERATES = happened(ModeratorAdded, channel_id=ADA, target_id=BOB)
BOB_IS_A_VIP = happened(VipAdded, channel_id=ADA, target_id=BOB)
BOB_FOLLOWS = happened(UserFollowed, channel_id=ADA, follower_id=BOB)
BOB_SUBSCRIBES = happened(UserSubscribed, channel_id=ADA, subscriber_id=BOB, tier="1000", since=NOON)


def say(text: str = "hello there", at_s: float = 0.0, actor: str = BOB, **more: Any) -> SendMessage:
    return wish(
        SendMessage, actor=actor, at_s=at_s, command_id="m-1", channel_id=ADA, sender_login="bob", text=text, **more
    )


def said(
    text: str = "hello there", at_s: float = 0.0, by: str = BOB, message_id: str = "m", **more: Any
) -> MessageSent:
    sent = happened(
        MessageSent,
        at_s,
        channel_id=ADA,
        message_id=message_id,
        sender_id=by,
        sender_login="bob",
        text=text,
        **more,
    )
    return sent.model_copy(update={"actor": by})


def expected(text: str = "hello there", by: str = BOB, **more: Any) -> MessageSent:
    return said(text, by=by, message_id=derived_id("m-1", 0), **more)


def modes(**facts: Any) -> ChatSettingsUpdated:
    return happened(ChatSettingsUpdated, channel_id=ADA, **facts)


def emote(name: str = "adaWave", emote_id: str = "e1", tier: str = "") -> EmoteAdded:
    return happened(
        EmoteAdded,
        channel_id=ADA,
        emote_id=emote_id,
        name=name,
        tier=tier,
        media_type="image/webp",
        image_1x=b"1",
        image_2x=b"2",
        image_3x=b"3",
    )


def room(*events: Event) -> Scenario:
    return Scenario(chat).given(ADA_EXISTS, *events)


class TestSaying:
    def test_a_message_is_sent_under_an_id_that_a_repetition_shares(self) -> None:
        room().when(say(" hello there ")).then(expected())

    def test_five_hundred_characters_fit_and_one_more_does_not(self) -> None:
        room().when(say("é" * 500)).then(expected("é" * 500))
        room().when(say("é" * 501)).then_rejected("msg_too_long")

    @pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u200b", "\x00\x01"])
    def test_a_message_says_something(self, text: str) -> None:
        room().when(say(text)).then_rejected("msg_empty")

    def test_a_message_is_one_line_without_control_characters(self) -> None:
        room().when(say("one\x00two\r\nPRIVMSG #ada :three\n")).then(expected("one two  PRIVMSG #ada :three"))

    def test_a_channel_must_exist(self) -> None:
        Scenario(chat).when(say()).then_rejected("unknown_channel")

    def test_the_caller_is_told_the_message_id(self) -> None:
        assert chat.reply(expected()) == {"message_id": derived_id("m-1", 0)}
        assert chat.reply(ADA_EXISTS) == {}

    def test_an_answer_names_a_message_that_is_there(self) -> None:
        room(said(message_id="p")).when(say("yes, indeed", reply_parent_id="p")).then(
            expected("yes, indeed", reply_parent_id="p")
        )
        room().when(say(reply_parent_id="p")).then_rejected("unknown_message")

    @pytest.mark.parametrize(
        ("fact", "badges"),
        [
            (BOB_MODERATES, ["moderator/1"]),
            (BOB_IS_A_VIP, ["vip/1"]),
            (BOB_SUBSCRIBES, ["subscriber/1"]),
            (
                happened(
                    UserSubscribed, channel_id=ADA, subscriber_id=BOB, tier="1000", since=NOON - timedelta(days=61)
                ),
                ["subscriber/3"],
            ),
        ],
    )
    def test_a_message_shows_what_its_sender_is(self, fact: Event, badges: list[str]) -> None:
        room(fact).when(say()).then(expected(badges=badges))

    def test_the_owner_is_shown_as_such(self) -> None:
        room().when(say(actor=ADA)).then(expected(by=ADA, badges=["broadcaster/1"]))

    def test_emotes_are_found_as_whole_words_by_their_characters(self) -> None:
        text = "😀 adaWave adaWaves adaWave"
        room(emote()).when(say(text)).then(expected(text, emotes="e1:2-8,19-25"))

    def test_an_emote_of_a_tier_takes_the_subscription(self) -> None:
        room(emote(tier="2000"), BOB_SUBSCRIBES).when(say("adaWave")).then(expected("adaWave", badges=["subscriber/1"]))
        room(emote(tier="1000"), BOB_SUBSCRIBES).when(say("adaWave")).then(
            expected("adaWave", badges=["subscriber/1"], emotes="e1:0-6")
        )

    def test_global_emotes_are_said_everywhere(self) -> None:
        room().when(say("hi :wave:")).then(expected("hi :wave:", emotes="1f44b:3-8"))
        room(modes(emote_mode=True)).when(say(":wave: :heart:")).then(
            expected(":wave: :heart:", emotes="1f44b:0-5/2764:7-13")
        )


class TestLimits:
    def test_the_twenty_first_message_in_thirty_seconds_waits(self) -> None:
        twenty = [said(f"number {n}", at_s=n) for n in range(20)]
        room(*twenty).when(say(at_s=20)).then_rejected("msg_ratelimit")
        room(*twenty).when(say(at_s=30)).then(expected())

    def test_it_is_said_how_long_to_wait(self) -> None:
        state = chat.initial_state()
        for event in (ADA_EXISTS, *(said(f"number {n}", at_s=n) for n in range(20))):
            state = chat.evolve(state, event)
        with pytest.raises(Rejected) as refusal:
            chat.decide(say(at_s=20), state)
        assert refusal.value.retry_after_ms == 10_000

    def test_a_moderator_may_say_more(self) -> None:
        many = [said(f"number {n}", at_s=n / 10) for n in range(99)]
        room(BOB_MODERATES, *many).when(say(at_s=10)).then(expected(badges=["moderator/1"]))
        room(BOB_MODERATES, *many, said("one more", at_s=9.9)).when(say(at_s=10)).then_rejected("msg_ratelimit")

    def test_the_same_is_not_said_twice_running(self) -> None:
        room(said()).when(say("Hello  THERE", at_s=29)).then_rejected("msg_duplicate")
        room(said()).when(say(at_s=30)).then(expected())
        room(said(), said("other", at_s=1)).when(say(at_s=2)).then(expected())


class TestModes:
    def test_slow_mode_asks_for_a_pause(self) -> None:
        slow = modes(slow_mode_s=60)
        room(slow, said()).when(say("again", at_s=59)).then_rejected("msg_slowmode")
        room(slow, said()).when(say("again", at_s=60)).then(expected("again"))
        room(slow, said(by=CAT)).when(say()).then(expected())

    def test_follower_mode_asks_for_following_and_for_so_long(self) -> None:
        mode = modes(follower_mode_min=10)
        room(mode).when(say()).then_rejected("msg_followersonly")
        room(mode, BOB_FOLLOWS).when(say(at_s=599)).then_rejected("msg_followersonly")
        room(mode, BOB_FOLLOWS).when(say(at_s=600)).then(expected())
        room(modes(follower_mode_min=0), BOB_FOLLOWS).when(say()).then(expected())
        room(mode, BOB_SUBSCRIBES).when(say()).then(expected(badges=["subscriber/1"]))

    def test_subscriber_mode_asks_for_a_subscription(self) -> None:
        room(modes(subscriber_mode=True)).when(say()).then_rejected("msg_subsonly")
        room(modes(subscriber_mode=True), BOB_SUBSCRIBES).when(say()).then(expected(badges=["subscriber/1"]))

    def test_emote_mode_asks_for_emotes_alone(self) -> None:
        room(modes(emote_mode=True), emote()).when(say("adaWave hi")).then_rejected("msg_emoteonly")
        room(modes(emote_mode=True), emote()).when(say("adaWave adaWave")).then(
            expected("adaWave adaWave", emotes="e1:0-6,8-14")
        )

    def test_unique_chat_refuses_what_anybody_said_today(self) -> None:
        mode = modes(unique_chat_mode=True)
        room(mode, said("such a play", by=CAT)).when(say("SUCH a play", at_s=3600)).then_rejected("msg_unique")
        room(mode, said("such a play", by=CAT)).when(say("such a play", at_s=86_400)).then(expected("such a play"))
        room(mode, said("gg", by=CAT)).when(say("gg", at_s=60)).then(expected("gg"))

    @pytest.mark.parametrize(
        "mode",
        [
            modes(slow_mode_s=60),
            modes(follower_mode_min=10),
            modes(subscriber_mode=True),
            modes(emote_mode=True),
        ],
    )
    @pytest.mark.parametrize(("fact", "badge"), [(BOB_MODERATES, "moderator/1"), (BOB_IS_A_VIP, "vip/1")])
    def test_moderators_and_vips_speak_in_every_mode(self, mode: Event, fact: Event, badge: str) -> None:
        room(fact, mode, said("before")).when(say(at_s=1)).then(expected(badges=[badge]))

    def test_the_shield_keeps_strangers_from_speaking(self) -> None:
        up, down = (happened(ShieldModeChanged, channel_id=ADA, active=active) for active in (True, False))
        room(up).when(say()).then_rejected("msg_followersonly")
        room(up, down).when(say()).then(expected())


class TestBans:
    banned = happened(UserBanned, channel_id=ADA, target_id=BOB)
    timed_out = happened(UserBanned, channel_id=ADA, target_id=BOB, expires_at=NOON + timedelta(seconds=60))

    def test_the_banned_say_nothing(self) -> None:
        room(self.banned).when(say(at_s=1e6)).then_rejected("msg_banned")
        room(self.banned, happened(UserUnbanned, channel_id=ADA, target_id=BOB)).when(say()).then(expected())

    def test_a_timeout_ends_by_itself(self) -> None:
        room(self.timed_out).when(say(at_s=59)).then_rejected("msg_timedout")
        room(self.timed_out).when(say(at_s=60)).then(expected())

    def test_the_warned_speak_again_when_they_have_read_it(self) -> None:
        warned = happened(UserWarned, channel_id=ADA, target_id=BOB, reason="spoilers")
        room(warned).when(say()).then_rejected("msg_warned")
        room(warned, happened(WarningAcknowledged, channel_id=ADA, target_id=BOB)).when(say()).then(expected())

    def test_the_banned_neither_react_nor_raid(self) -> None:
        room(self.banned, emote()).when(wish(React, actor=BOB, channel_id=ADA, emote="adaWave")).then_rejected(
            "msg_banned"
        )
        room(self.banned).when(wish(Raid, actor=BOB, channel_id=ADA, from_login="bob", viewers=3)).then_rejected(
            "msg_banned"
        )


class TestModerating:
    def delete(self, actor: str) -> DeleteMessage:
        return wish(DeleteMessage, actor=actor, channel_id=ADA, message_id="m")

    deleted = happened(MessageDeleted, channel_id=ADA, message_id="m", sender_id=BOB)

    @pytest.mark.parametrize("actor", [ADA, BOB])
    def test_the_owner_and_the_sender_take_a_message_back(self, actor: str) -> None:
        room(said()).when(self.delete(actor)).then(self.deleted)

    def test_others_do_not(self) -> None:
        room(said()).when(self.delete(CAT)).then_rejected("unauthorised")

    def test_a_moderator_takes_back_what_viewers_say_and_not_what_moderators_say(self) -> None:
        cat_moderates = happened(ModeratorAdded, channel_id=ADA, target_id=CAT)
        room(cat_moderates, said()).when(self.delete(CAT)).then(self.deleted)
        room(cat_moderates, BOB_MODERATES, said()).when(self.delete(CAT)).then_rejected("unauthorised")

    def test_what_was_said_with_a_donation_is_taken_back_like_a_message(self) -> None:
        gift = happened(
            DonationReceived,
            channel_id=ADA,
            donation_id="m",
            donor_id=BOB,
            amount_minor=500,
            currency="EUR",
            message="rude words",
        )
        room(gift).when(self.delete(ADA)).then(self.deleted)
        silent = gift.model_copy(update={"message": ""})
        room(silent).when(self.delete(ADA)).then_rejected("unknown_message")

    def test_a_message_is_taken_back_once(self) -> None:
        room(said(), self.deleted).when(self.delete(ADA)).then_rejected("unknown_message")

    def test_a_moderator_clears_the_chat(self) -> None:
        cleared = happened(ChatCleared, channel_id=ADA)
        room(BOB_MODERATES).when(wish(ClearChat, actor=BOB, channel_id=ADA)).then(cleared)
        room().when(wish(ClearChat, actor=BOB, channel_id=ADA)).then_rejected("unauthorised")
        room(said(), cleared).when(self.delete(ADA)).then_rejected("unknown_message")

    def test_a_moderator_announces(self) -> None:
        wished = wish(
            Announce,
            actor=BOB,
            command_id="m-1",
            channel_id=ADA,
            sender_login="bob",
            text="five minutes",
            colour="blue",
        )
        room(BOB_MODERATES).when(wished).then(expected("five minutes", badges=["moderator/1"], announcement="blue"))
        room().when(wished).then_rejected("unauthorised")
        room(BOB_MODERATES).when(wished.model_copy(update={"colour": "red"})).then_rejected("bad_colour")


class TestHeldMessages:
    held = happened(
        MessageHeld,
        channel_id=ADA,
        message_id="h",
        sender_id=CAT,
        sender_login="cat",
        text="you fool",
        rule="category",
        category="bullying",
        level=3,
    )

    def resolve(self, allowed: bool, at_s: float = 10, actor: str = BOB) -> ResolveHeldMessage:
        return wish(ResolveHeldMessage, actor=actor, at_s=at_s, channel_id=ADA, message_id="h", allowed=allowed)

    def resolved(self, allowed: bool) -> HeldMessageResolved:
        return happened(HeldMessageResolved, channel_id=ADA, message_id="h", sender_id=CAT, allowed=allowed)

    def taught(self, allowed: bool) -> LessonTaught:
        return happened(LessonTaught, channel_id=ADA, message_id="h", sender_id=CAT, text="you fool", allowed=allowed)

    def test_an_allowed_message_is_sent_under_its_id(self) -> None:
        sent = happened(MessageSent, channel_id=ADA, message_id="h", sender_id=CAT, sender_login="cat", text="you fool")
        room(BOB_MODERATES, self.held).when(self.resolve(True)).then(self.taught(True), self.resolved(True), sent)

    def test_a_denied_message_is_not(self) -> None:
        room(BOB_MODERATES, self.held).when(self.resolve(False)).then(self.taught(False), self.resolved(False))

    def test_it_is_decided_once_and_in_time(self) -> None:
        room(BOB_MODERATES, self.held, self.resolved(False)).when(self.resolve(True)).then_rejected(
            "unknown_held_message"
        )
        room(BOB_MODERATES, self.held).when(self.resolve(True, at_s=301)).then_rejected("unknown_held_message")

    def test_viewers_do_not_decide(self) -> None:
        room(self.held).when(self.resolve(True, actor=CAT)).then_rejected("unauthorised")

    def test_the_sender_is_told(self) -> None:
        assert chat.reply(self.held)["drop_code"] == "msg_rejected"


class TestReactionsAndRaids:
    def react(self, at_s: float = 0, emote: str = "adaWave", message_id: str | None = None) -> React:
        return wish(React, actor=BOB, at_s=at_s, channel_id=ADA, emote=emote, message_id=message_id)

    def reacted(self, at_s: float = 0, message_id: str | None = None) -> Reacted:
        return happened(Reacted, at_s, channel_id=ADA, reactor_id=BOB, emote="adaWave", message_id=message_id)

    def test_one_reacts_to_what_is_on_screen_or_to_a_message(self) -> None:
        room(emote()).when(self.react()).then(self.reacted())
        room(emote(), said()).when(self.react(message_id="m")).then(self.reacted(message_id="m"))
        room(emote()).when(self.react(message_id="m")).then_rejected("unknown_message")

    def test_with_an_emote_that_one_may_say(self) -> None:
        room().when(self.react()).then_rejected("unknown_emote")
        room(emote(tier="1000")).when(self.react()).then_rejected("unknown_emote")

    def test_sixty_times_in_thirty_seconds(self) -> None:
        many = [self.reacted(at_s=n / 10) for n in range(60)]
        room(emote(), *many).when(self.react(at_s=10)).then_rejected("msg_ratelimit")
        room(emote(), *many).when(self.react(at_s=30)).then(self.reacted())

    def test_a_raid_brings_viewers_from_the_own_channel(self) -> None:
        wished = wish(Raid, actor=BOB, channel_id=ADA, from_login="bob", viewers=3)
        room().when(wished).then(happened(RaidReceived, channel_id=ADA, from_id=BOB, from_login="bob", viewers=3))
        room().when(wished.model_copy(update={"actor": ADA})).then_rejected("cannot_raid_self")
        room().when(wished.model_copy(update={"viewers": -1})).then_rejected("bad_viewers")

    def test_the_same_channel_raids_once_in_ten_minutes(self) -> None:
        came = happened(RaidReceived, channel_id=ADA, from_id=BOB, from_login="bob", viewers=0)
        again = wish(Raid, actor=BOB, at_s=599, channel_id=ADA, from_login="bob", viewers=0)
        room(came).when(again).then_rejected("raid_ratelimit")
        room(came).when(again.model_copy(update={"issued_at": NOON + timedelta(minutes=10)})).then_accepted()
        room(came).when(again.model_copy(update={"actor": CAT})).then_accepted()


class TestARoomThatIsNotOpenToAll:
    def only_for(self, policy: str, *events: Event) -> Scenario:
        updated = happened(ChannelUpdated, channel_id=ADA, title="", category="", language="", playback_policy=policy)
        return room(updated, *events)

    @pytest.mark.parametrize("policy", [PRIVATE, SUBSCRIBERS])
    def test_strangers_neither_speak_nor_react_nor_raid(self, policy: str) -> None:
        for wished in (
            say(),
            wish(React, actor=BOB, channel_id=ADA, emote=":wave:"),
            wish(Raid, actor=BOB, channel_id=ADA, from_login="bob", viewers=1),
        ):
            self.only_for(policy).when(wished).then_rejected(policy)

    @pytest.mark.parametrize("policy", [PRIVATE, SUBSCRIBERS])
    @pytest.mark.parametrize("role", [BOB_MODERATES, BOB_IS_A_VIP])
    def test_who_helps_to_run_it_speaks(self, policy: str, role: Event) -> None:
        self.only_for(policy, role).when(say()).then_accepted()
        self.only_for(policy).when(say(actor=ADA)).then_accepted()

    def test_subscribers_speak_where_they_may_watch(self) -> None:
        self.only_for(SUBSCRIBERS, BOB_SUBSCRIBES).when(say()).then_accepted()
        self.only_for(PRIVATE, BOB_SUBSCRIBES).when(say()).then_rejected(PRIVATE)
        self.only_for(PUBLIC).when(say()).then_accepted()

"""What channels, follows and support allow."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from commands.deciders import channels, chat, follows, support
from commands.deciders.envelope import no_reply
from schemas.commands.accounts import SignOut
from schemas.commands.channels import UpdateChannel
from schemas.commands.follows import Follow, Unfollow
from schemas.commands.support import Donate, Subscribe, Unsubscribe
from schemas.events.accounts import SessionRevoked, UserRegistered
from schemas.events.channel_roles import ModeratorAdded
from schemas.events.channels import ChannelUpdated
from schemas.events.chat_policy import AutoModSettingsUpdated, BlockedTermAdded
from schemas.events.follows import UserFollowed, UserUnfollowed
from schemas.events.lessons import LessonTaught
from schemas.events.moderation import UnbanRequested, UserBanned
from schemas.events.support import DonationReceived, UserSubscribed, UserUnsubscribed
from schemas.message import Event
from tests.commands.scenario import ADA, BOB, NOON, Scenario, happened, wish

ADA_EXISTS = happened(UserRegistered, user_id=ADA, login="ada", display_name="Ada", password_hash="h")


def updated(title: str = "", category: str = "", language: str = "", policy: str = "public") -> ChannelUpdated:
    return happened(
        ChannelUpdated, channel_id=ADA, title=title, category=category, language=language, playback_policy=policy
    )


class TestChannels:
    def test_an_owner_sets_what_is_given_and_leaves_the_rest(self) -> None:
        Scenario(channels).given(ADA_EXISTS, updated("Old", "Chess", "en")).when(
            wish(UpdateChannel, channel_id=ADA, title=" New ")
        ).then(updated("New", "Chess", "en"))

    def test_an_owner_says_who_may_watch_and_it_stays_so(self) -> None:
        Scenario(channels).given(ADA_EXISTS).when(wish(UpdateChannel, channel_id=ADA, playback_policy="private")).then(
            updated(policy="private")
        )
        Scenario(channels).given(ADA_EXISTS, updated("Old", policy="private")).when(
            wish(UpdateChannel, channel_id=ADA, title="New")
        ).then(updated("New", policy="private"))

    def test_a_value_can_be_emptied(self) -> None:
        Scenario(channels).given(ADA_EXISTS, updated("Old", "Chess", "en")).when(
            wish(UpdateChannel, channel_id=ADA, title="", category="", language="")
        ).then(updated())

    def test_setting_what_is_set_changes_nothing(self) -> None:
        Scenario(channels).given(ADA_EXISTS, updated("Old")).when(
            wish(UpdateChannel, channel_id=ADA, title="Old")
        ).then_nothing()

    def test_others_may_not(self) -> None:
        Scenario(channels).given(ADA_EXISTS).when(
            wish(UpdateChannel, actor=BOB, channel_id=ADA, title="Mine")
        ).then_rejected("unauthorised")

    def test_a_channel_must_exist(self) -> None:
        Scenario(channels).when(wish(UpdateChannel, channel_id=ADA, title="T")).then_rejected("unknown_channel")

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"title": "x" * 141}, "title_too_long"),
            ({"category": "x" * 101}, "category_too_long"),
            ({"language": "english"}, "language_invalid"),
            ({"language": "EN"}, "language_invalid"),
            ({"playback_policy": "friends"}, "playback_policy_invalid"),
        ],
    )
    def test_values_have_limits(self, fields: dict[str, Any], code: str) -> None:
        Scenario(channels).given(ADA_EXISTS).when(wish(UpdateChannel, channel_id=ADA, **fields)).then_rejected(code)

    def test_the_longest_title_fits(self) -> None:
        Scenario(channels).given(ADA_EXISTS).when(
            wish(UpdateChannel, channel_id=ADA, title="x" * 140, language="other")
        ).then(updated("x" * 140, "", "other"))


class TestFollows:
    def test_a_user_follows_a_channel(self) -> None:
        Scenario(follows).given(ADA_EXISTS).when(wish(Follow, actor=BOB, channel_id=ADA)).then(
            happened(UserFollowed, channel_id=ADA, follower_id=BOB)
        )

    def test_following_twice_changes_nothing(self) -> None:
        Scenario(follows).given(ADA_EXISTS, happened(UserFollowed, channel_id=ADA, follower_id=BOB)).when(
            wish(Follow, actor=BOB, channel_id=ADA)
        ).then_nothing()

    def test_nobody_follows_themselves(self) -> None:
        Scenario(follows).given(ADA_EXISTS).when(wish(Follow, channel_id=ADA)).then_rejected("cannot_follow_self")

    def test_a_channel_must_exist(self) -> None:
        Scenario(follows).when(wish(Follow, actor=BOB, channel_id=ADA)).then_rejected("unknown_channel")

    def test_a_follower_stops_following(self) -> None:
        Scenario(follows).given(ADA_EXISTS, happened(UserFollowed, channel_id=ADA, follower_id=BOB)).when(
            wish(Unfollow, actor=BOB, channel_id=ADA)
        ).then(happened(UserUnfollowed, channel_id=ADA, follower_id=BOB))

    def test_who_does_not_follow_cannot_stop(self) -> None:
        Scenario(follows).given(
            ADA_EXISTS,
            happened(UserFollowed, channel_id=ADA, follower_id=BOB),
            happened(UserUnfollowed, channel_id=ADA, follower_id=BOB),
        ).when(wish(Unfollow, actor=BOB, channel_id=ADA)).then_rejected("not_following")


class TestSupport:
    def give(self, amount_minor: int = 500, currency: str = "EUR", message: str = "") -> Donate:
        return wish(
            Donate,
            actor=BOB,
            channel_id=ADA,
            donation_id="d-1",
            amount_minor=amount_minor,
            currency=currency,
            message=message,
        )

    def received(self, **more: Any) -> DonationReceived:
        return happened(
            DonationReceived,
            channel_id=ADA,
            donation_id="d-1",
            donor_id=BOB,
            amount_minor=500,
            currency="EUR",
            **more,
        )

    def test_a_viewer_gives_money(self) -> None:
        received = self.received(message="thanks")
        Scenario(support).given(ADA_EXISTS).when(self.give(message="thanks")).then(received)
        assert support.reply(received) == {"donation_id": "d-1"}
        assert support.reply(ADA_EXISTS) == {}

    def test_a_gift_names_its_giver_and_shows_emotes(self) -> None:
        gift = self.give(message="  :wave: \n").model_copy(update={"donor_login": "bob", "donor_name": "Bob"})
        named = {"donor_login": "bob", "donor_name": "Bob"}
        Scenario(support).given(ADA_EXISTS).when(gift).then(
            self.received(message=":wave:", emotes="1f44b:0-5", **named)
        )

    BANNED = happened(UserBanned, channel_id=ADA, target_id=BOB)
    BLOCKED = happened(BlockedTermAdded, channel_id=ADA, term_id="t", text="spoiler")

    @pytest.mark.parametrize(
        ("rule", "code"),
        [
            (BANNED, "msg_banned"),
            (BANNED.model_copy(update={"expires_at": NOON + timedelta(minutes=5)}), "msg_timedout"),
            (BLOCKED, "msg_rejected"),
        ],
    )
    def test_nobody_gives_their_way_into_the_chat(self, rule: Event, code: str) -> None:
        Scenario(support).given(ADA_EXISTS, rule).when(self.give(message="a spoiler")).then_rejected(code)

    @pytest.mark.parametrize("rule", [BANNED, BLOCKED])
    def test_but_whoever_says_nothing_may_give(self, rule: Event) -> None:
        Scenario(support).given(ADA_EXISTS, rule).when(self.give(message="")).then(self.received())

    @pytest.mark.parametrize("allowances", [0, 4])
    def test_what_moderators_taught_holds_for_gifts(self, allowances: int) -> None:
        text = "you are an idiot"
        strict = happened(AutoModSettingsUpdated, channel_id=ADA, toxicity_level=4)
        taught = [
            happened(LessonTaught, channel_id=ADA, message_id=f"m{n}", sender_id=BOB, text=text, allowed=True)
            for n in range(allowances)
        ]
        decided = Scenario(support).given(ADA_EXISTS, strict, *taught).when(self.give(message=text))
        if allowances:
            decided.then(self.received(message=text))
        else:
            decided.then_rejected("msg_rejected")

    def test_moderators_know_what_may_be_said(self) -> None:
        moderates = happened(ModeratorAdded, channel_id=ADA, target_id=BOB)
        gift = self.give(message="a spoiler")
        Scenario(support).given(ADA_EXISTS, self.BLOCKED, moderates).when(gift).then(self.received(message="a spoiler"))

    @pytest.mark.parametrize("amount_minor", [0, -1, support.MAX_AMOUNT_MINOR + 1])
    def test_an_amount_is_positive_and_limited(self, amount_minor: int) -> None:
        Scenario(support).given(ADA_EXISTS).when(self.give(amount_minor)).then_rejected("bad_amount")

    @pytest.mark.parametrize("currency", ["", "eur", "EURO", "XXX"])
    def test_a_currency_is_known(self, currency: str) -> None:
        Scenario(support).given(ADA_EXISTS).when(self.give(currency=currency)).then_rejected("bad_currency")

    def test_a_message_has_a_limit(self) -> None:
        Scenario(support).given(ADA_EXISTS).when(self.give(message="x" * 501)).then_rejected("msg_too_long")

    def test_a_channel_must_exist(self) -> None:
        Scenario(support).when(self.give()).then_rejected("unknown_channel")

    @pytest.mark.parametrize("tier", ["1000", "2000", "3000"])
    def test_a_viewer_subscribes(self, tier: str) -> None:
        Scenario(support).given(ADA_EXISTS).when(self.subscribe(tier)).then(self.subscribed(tier))

    def test_subscribing_to_the_same_tier_changes_nothing(self) -> None:
        Scenario(support).given(ADA_EXISTS, self.subscribed()).when(self.subscribe(at_s=60)).then_nothing()

    def test_another_tier_keeps_the_time_of_subscribing(self) -> None:
        Scenario(support).given(ADA_EXISTS, self.subscribed()).when(self.subscribe("2000", at_s=60)).then(
            self.subscribed("2000")
        )

    def test_after_an_end_the_time_begins_anew(self) -> None:
        Scenario(support).given(ADA_EXISTS, self.subscribed(), self.UNSUBSCRIBED).when(self.subscribe(at_s=60)).then(
            self.subscribed(since=NOON + timedelta(seconds=60))
        )

    @pytest.mark.parametrize("tier", ["", "1", "4000"])
    def test_a_tier_is_one_of_three(self, tier: str) -> None:
        Scenario(support).given(ADA_EXISTS).when(self.subscribe(tier)).then_rejected("bad_tier")

    def test_nobody_subscribes_to_themselves(self) -> None:
        Scenario(support).given(ADA_EXISTS).when(wish(Subscribe, channel_id=ADA)).then_rejected(
            "cannot_subscribe_to_self"
        )

    def test_a_subscribers_channel_must_exist(self) -> None:
        Scenario(support).when(self.subscribe()).then_rejected("unknown_channel")

    def test_a_subscriber_stops_once(self) -> None:
        stop = wish(Unsubscribe, actor=BOB, channel_id=ADA)
        Scenario(support).given(ADA_EXISTS, self.subscribed()).when(stop).then(self.UNSUBSCRIBED)
        Scenario(support).given(ADA_EXISTS, self.subscribed(), self.UNSUBSCRIBED).when(stop).then_rejected(
            "not_subscribed"
        )

    UNSUBSCRIBED = happened(UserUnsubscribed, channel_id=ADA, subscriber_id=BOB)

    def subscribe(self, tier: str = "1000", at_s: float = 0) -> Subscribe:
        return wish(Subscribe, actor=BOB, at_s=at_s, channel_id=ADA, tier=tier)

    def subscribed(self, tier: str = "1000", since: datetime = NOON) -> UserSubscribed:
        return happened(UserSubscribed, channel_id=ADA, subscriber_id=BOB, tier=tier, since=since)

    def test_what_others_do_is_not_support(self) -> None:
        till = support.evolve(support.initial_state(), ADA_EXISTS)
        assert support.evolve(till, updated("Title")) is till


@pytest.mark.parametrize("decider", [channels, follows, chat, support])
def test_commands_of_others_are_a_mistake(decider: object) -> None:
    with pytest.raises(TypeError, match="SignOut"):
        decider.decide(wish(SignOut, user_id=ADA, session_id="s"), decider.initial_state())  # type: ignore[attr-defined]


@pytest.mark.parametrize("decider", [channels, follows])
def test_events_of_others_change_nothing(decider: object) -> None:
    state = decider.initial_state()  # type: ignore[attr-defined]
    assert decider.evolve(state, happened(SessionRevoked, user_id=ADA, session_id="s")) is state  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (happened(BlockedTermAdded, channel_id=ADA, term_id="t", text="x"), {"term_id": "t"}),
        (happened(UnbanRequested, channel_id=ADA, request_id="r", target_id=BOB, text="x"), {"request_id": "r"}),
        (happened(UserBanned, channel_id=ADA, target_id=BOB), {}),
    ],
)
def test_who_makes_something_in_a_channel_is_told_its_id_and_time(made: Event, told: dict[str, str]) -> None:
    assert channels.reply(made) == {**told, "created_at": NOON.isoformat()}
    assert channels.reply(updated()) == {}


def test_some_callers_need_no_reply() -> None:
    assert no_reply(ADA_EXISTS) == {}

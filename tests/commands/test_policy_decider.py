"""How a channel's chat may be set up: modes, AutoMod, the shield, blocked terms."""

from __future__ import annotations

from typing import Any

import pytest

from commands.automod.strictness import MAX_LEVEL, AutoMod
from commands.deciders import channels, policy
from schemas.commands.chat_policy import (
    AddBlockedTerm,
    PolicyCommand,
    RemoveBlockedTerm,
    SetShieldMode,
    UpdateAutoModSettings,
    UpdateChatSettings,
)
from schemas.events.accounts import UserRegistered
from schemas.events.channel_roles import ModeratorAdded
from schemas.events.chat_policy import (
    AUTOMOD_CATEGORIES,
    AutoModSettingsUpdated,
    BlockedTermAdded,
    BlockedTermRemoved,
    ChatSettingsUpdated,
    ShieldModeChanged,
)
from schemas.message import Event
from tests.commands.scenario import ADA, BOB, Scenario, happened, wish

ADA_EXISTS = happened(UserRegistered, user_id=ADA, login="ada", display_name="Ada", password_hash="h")
BOB_MODERATES = happened(ModeratorAdded, channel_id=ADA, target_id=BOB)


def channel(*events: Event) -> Scenario:
    return Scenario(channels).given(ADA_EXISTS, BOB_MODERATES, *events)


@pytest.mark.parametrize(
    "command",
    [
        wish(UpdateChatSettings, actor="1003", channel_id=ADA, slow_mode_s=30),
        wish(SetShieldMode, actor="1003", channel_id=ADA, active=True),
        wish(UpdateAutoModSettings, actor="1003", channel_id=ADA, toxicity_level=1),
        wish(AddBlockedTerm, actor="1003", channel_id=ADA, term_id="t", text="spoiler"),
        wish(RemoveBlockedTerm, actor="1003", channel_id=ADA, term_id="t"),
    ],
)
def test_viewers_set_nothing(command: PolicyCommand) -> None:
    channel().when(command).then_rejected("unauthorised")
    Scenario(channels).when(command).then_rejected("unknown_channel")


class TestModes:
    def set(self, **fields: Any) -> UpdateChatSettings:
        return wish(UpdateChatSettings, actor=BOB, channel_id=ADA, **fields)

    def modes(self, **facts: Any) -> ChatSettingsUpdated:
        return happened(ChatSettingsUpdated, channel_id=ADA, **facts)

    def test_a_moderator_sets_what_is_given_and_leaves_the_rest(self) -> None:
        channel(self.modes(slow_mode_s=10, emote_mode=True)).when(self.set(slow_mode_s=30, unique_chat_mode=True)).then(
            self.modes(slow_mode_s=30, emote_mode=True, unique_chat_mode=True)
        )

    def test_setting_what_is_set_changes_nothing(self) -> None:
        channel(self.modes(slow_mode_s=30)).when(self.set(slow_mode_s=30, subscriber_mode=False)).then_nothing()

    @pytest.mark.parametrize("slow_mode_s", [3, 120, 0])
    def test_slow_mode_is_three_seconds_to_two_minutes_or_off(self, slow_mode_s: int) -> None:
        channel(self.modes(slow_mode_s=60)).when(self.set(slow_mode_s=slow_mode_s)).then(
            self.modes(slow_mode_s=slow_mode_s)
        )

    @pytest.mark.parametrize("slow_mode_s", [-1, 1, 2, 121])
    def test_and_nothing_else(self, slow_mode_s: int) -> None:
        channel().when(self.set(slow_mode_s=slow_mode_s)).then_rejected("bad_slow_mode")

    @pytest.mark.parametrize(
        ("before", "fields", "after"),
        [
            (None, {"follower_mode": True}, 0),
            (None, {"follower_mode": True, "follower_mode_min": 129_600}, 129_600),
            (10, {"follower_mode_min": 20}, 20),
            (10, {"follower_mode": False}, None),
            (10, {"follower_mode": False, "follower_mode_min": 20}, None),
        ],
    )
    def test_follower_mode_is_on_or_off_and_asks_for_minutes(
        self, before: int | None, fields: dict[str, Any], after: int | None
    ) -> None:
        channel(self.modes(follower_mode_min=before)).when(self.set(**fields)).then(self.modes(follower_mode_min=after))

    def test_follower_mode_that_is_on_keeps_its_minutes(self) -> None:
        channel(self.modes(follower_mode_min=10)).when(self.set(follower_mode=True)).then_nothing()

    @pytest.mark.parametrize(
        "fields",
        [
            {"follower_mode": True, "follower_mode_min": -1},
            {"follower_mode": True, "follower_mode_min": 129_601},
            {"follower_mode_min": 10},
        ],
    )
    def test_its_minutes_have_bounds_and_need_it_on(self, fields: dict[str, Any]) -> None:
        channel().when(self.set(**fields)).then_rejected("bad_follower_mode")


class TestShield:
    def test_a_moderator_raises_and_lowers_it(self) -> None:
        up, down = (happened(ShieldModeChanged, channel_id=ADA, active=active) for active in (True, False))
        channel().when(wish(SetShieldMode, actor=BOB, channel_id=ADA, active=True)).then(up)
        channel(up).when(wish(SetShieldMode, actor=BOB, channel_id=ADA, active=True)).then_nothing()
        channel(up).when(wish(SetShieldMode, actor=BOB, channel_id=ADA, active=False)).then(down)

    def test_it_makes_every_setting_strict_and_gives_them_back(self) -> None:
        asked = policy.Policy(modes=policy.Modes(slow_s=30, follower_min=60))
        shielded = policy.Policy(modes=asked.modes, shield=True)
        assert policy.modes_in_force(asked) == asked.modes
        assert policy.modes_in_force(shielded) == policy.Modes(slow_s=30, follower_min=60, unique=True)
        assert policy.automod_in_force(asked) == AutoMod()
        assert set(policy.automod_in_force(shielded).levels.values()) == {MAX_LEVEL}


class TestAutoMod:
    def set(self, **fields: Any) -> UpdateAutoModSettings:
        return wish(UpdateAutoModSettings, actor=BOB, channel_id=ADA, **fields)

    def settings(self, **facts: Any) -> AutoModSettingsUpdated:
        return happened(AutoModSettingsUpdated, channel_id=ADA, **facts)

    def test_a_moderator_sets_what_is_named_and_leaves_the_rest(self) -> None:
        channel(self.settings(levels={"bullying": 2}, block_links=True)).when(
            self.set(levels={"swearing": 4}, toxicity_level=3, block_spam=True)
        ).then(
            self.settings(levels={"bullying": 2, "swearing": 4}, toxicity_level=3, block_links=True, block_spam=True)
        )

    def test_setting_what_is_set_changes_nothing(self) -> None:
        channel(self.settings(levels={"bullying": 2})).when(self.set(levels={"bullying": 2})).then_nothing()

    def test_every_category_has_a_level(self) -> None:
        levels = dict.fromkeys(AUTOMOD_CATEGORIES, 4)
        channel().when(self.set(levels=levels)).then(self.settings(levels=levels))
        channel().when(self.set(levels={"rudeness": 1})).then_rejected("bad_category")

    @pytest.mark.parametrize(
        "fields", [{"levels": {"bullying": 5}}, {"levels": {"bullying": -1}}, {"toxicity_level": 5}]
    )
    def test_levels_are_0_to_4(self, fields: dict[str, Any]) -> None:
        channel().when(self.set(**fields)).then_rejected("bad_level")


class TestTerms:
    def add(self, text: str = "spoiler") -> AddBlockedTerm:
        return wish(AddBlockedTerm, actor=BOB, channel_id=ADA, term_id="t", text=text)

    def added(self, text: str = "spoiler", term_id: str = "t") -> BlockedTermAdded:
        return happened(BlockedTermAdded, channel_id=ADA, term_id=term_id, text=text)

    removed = happened(BlockedTermRemoved, channel_id=ADA, term_id="t")
    remove = wish(RemoveBlockedTerm, actor=BOB, channel_id=ADA, term_id="t")

    def test_a_moderator_blocks_a_term_and_lets_it_be_said_again(self) -> None:
        channel().when(self.add("  the \x00 end* ")).then(self.added("the end*"))
        channel(self.added()).when(self.remove).then(self.removed)

    def test_a_term_that_is_not_blocked_is_not_freed(self) -> None:
        channel().when(self.remove).then_rejected("unknown_term")
        channel(self.added(), self.removed).when(self.remove).then_rejected("unknown_term")

    def test_a_term_is_blocked_once_whatever_its_case(self) -> None:
        channel(self.added()).when(self.add("SPOILER")).then_rejected("already_blocked")

    @pytest.mark.parametrize("text", ["", "x", " x ", "x" * 501, "**", "!? *"])
    def test_a_term_says_something_of_some_length(self, text: str) -> None:
        channel().when(self.add(text)).then_rejected("bad_term")

    def test_a_channel_blocks_a_thousand(self) -> None:
        many = [self.added(f"term {number}", str(number)) for number in range(policy.MAX_TERMS)]
        channel(*many[1:]).when(self.add()).then(self.added())
        channel(*many).when(self.add()).then_rejected("too_many_terms")

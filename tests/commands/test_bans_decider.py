"""Who may be banned, timed out and warned, by whom, and what the banned may ask."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from commands.deciders import channels
from schemas.commands.moderation import (
    AcknowledgeWarning,
    BanUser,
    ModerationCommand,
    RequestUnban,
    ResolveUnbanRequest,
    UnbanUser,
    WarnUser,
)
from schemas.events.accounts import UserRegistered
from schemas.events.channel_roles import ModeratorAdded, ModeratorRemoved
from schemas.events.moderation import (
    UnbanRequested,
    UnbanRequestResolved,
    UserBanned,
    UserUnbanned,
    UserWarned,
    WarningAcknowledged,
)
from schemas.message import Event
from tests.commands.scenario import ADA, BOB, NOON, Scenario, happened, wish

CAT, DAN = "1003", "1004"
ADA_EXISTS = happened(UserRegistered, user_id=ADA, login="ada", display_name="Ada", password_hash="h")
BOB_MODERATES = happened(ModeratorAdded, channel_id=ADA, target_id=BOB)
DAN_MODERATES = happened(ModeratorAdded, channel_id=ADA, target_id=DAN)


def channel(*events: Event) -> Scenario:
    return Scenario(channels).given(ADA_EXISTS, BOB_MODERATES, *events)


def ban(target_id: str = CAT, actor: str = BOB, at_s: float = 0, **more: Any) -> BanUser:
    return wish(BanUser, actor=actor, at_s=at_s, channel_id=ADA, target_id=target_id, **more)


def banned(target_id: str = CAT, for_s: float | None = None, **more: Any) -> UserBanned:
    until = None if for_s is None else NOON + timedelta(seconds=for_s)
    return happened(UserBanned, channel_id=ADA, target_id=target_id, expires_at=until, **more)


def unbanned(target_id: str = CAT) -> UserUnbanned:
    return happened(UserUnbanned, channel_id=ADA, target_id=target_id)


class TestBanning:
    @pytest.mark.parametrize("actor", [ADA, BOB])
    def test_the_owner_and_moderators_ban(self, actor: str) -> None:
        channel().when(ban(actor=actor, reason="spam", target_login="cat")).then(
            banned(reason="spam", target_login="cat")
        )

    def test_viewers_do_not(self) -> None:
        channel().when(ban(actor=CAT, target_id=DAN)).then_rejected("unauthorised")

    @pytest.mark.parametrize("duration_s", [1, 1_209_600])
    def test_a_timeout_ends(self, duration_s: int) -> None:
        channel().when(ban(duration_s=duration_s)).then(banned(for_s=duration_s))

    @pytest.mark.parametrize("duration_s", [0, -1, 1_209_601])
    def test_a_timeout_has_bounds(self, duration_s: int) -> None:
        channel().when(ban(duration_s=duration_s)).then_rejected("bad_duration")

    def test_a_timeout_is_replaced_by_another_or_by_a_ban(self) -> None:
        channel(banned(for_s=60)).when(ban(duration_s=600)).then(banned(for_s=600))
        channel(banned(for_s=60)).when(ban()).then(banned())

    @pytest.mark.parametrize("duration_s", [None, 60])
    def test_who_is_banned_for_good_is_neither_banned_nor_timed_out(self, duration_s: int | None) -> None:
        channel(banned()).when(ban(duration_s=duration_s)).then_rejected("already_banned")

    @pytest.mark.parametrize("command", [BanUser, WarnUser])
    @pytest.mark.parametrize("target_id", [ADA, BOB])
    def test_neither_the_owner_nor_oneself_is_a_target(self, command: type[ModerationCommand], target_id: str) -> None:
        channel().when(wish(command, actor=BOB, channel_id=ADA, target_id=target_id, reason="because")).then_rejected(
            "bad_target"
        )

    @pytest.mark.parametrize("command", [BanUser, WarnUser])
    def test_moderators_do_nothing_to_each_other(self, command: type[ModerationCommand]) -> None:
        channel(DAN_MODERATES).when(
            wish(command, actor=BOB, channel_id=ADA, target_id=DAN, reason="because")
        ).then_rejected("unauthorised")

    def test_a_moderator_whom_the_owner_bans_is_none_any_more(self) -> None:
        removed = happened(ModeratorRemoved, channel_id=ADA, target_id=BOB)
        channel().when(ban(BOB, actor=ADA)).then(removed, banned(BOB))
        channel(removed, banned(BOB)).when(ban()).then_rejected("unauthorised")

    def test_a_reason_has_five_hundred_characters(self) -> None:
        channel().when(ban(reason="x" * 500)).then(banned(reason="x" * 500))
        channel().when(ban(reason="x" * 501)).then_rejected("reason_too_long")

    def test_a_reason_is_one_line(self) -> None:
        channel().when(ban(reason=" spam\x00\nand links ")).then(banned(reason="spam  and links"))

    def test_a_channel_must_exist(self) -> None:
        Scenario(channels).when(ban(actor=ADA)).then_rejected("unknown_channel")


class TestUnbanning:
    wished = wish(UnbanUser, actor=BOB, at_s=30, channel_id=ADA, target_id=CAT)

    @pytest.mark.parametrize("for_s", [None, 60])
    def test_a_moderator_lets_a_user_speak_again(self, for_s: float | None) -> None:
        channel(banned(for_s=for_s)).when(self.wished).then(unbanned())

    def test_only_whose_ban_holds(self) -> None:
        channel().when(self.wished).then_rejected("not_banned")
        channel(banned(for_s=30)).when(self.wished).then_rejected("not_banned")
        channel(banned(), unbanned()).when(self.wished).then_rejected("not_banned")

    def test_viewers_do_not(self) -> None:
        channel(banned()).when(self.wished.model_copy(update={"actor": CAT})).then_rejected("unauthorised")


class TestWarning:
    def warn(self, reason: str = "no spoilers", actor: str = BOB) -> WarnUser:
        return wish(WarnUser, actor=actor, channel_id=ADA, target_id=CAT, reason=reason)

    warned = happened(UserWarned, channel_id=ADA, target_id=CAT, reason="no spoilers")
    read = happened(WarningAcknowledged, channel_id=ADA, target_id=CAT)
    acknowledge = wish(AcknowledgeWarning, actor=CAT, channel_id=ADA)

    def test_a_moderator_warns(self) -> None:
        channel().when(self.warn()).then(self.warned)
        channel().when(self.warn(actor=CAT)).then_rejected("unauthorised")

    @pytest.mark.parametrize(
        ("reason", "code"), [("", "reason_missing"), ("  ", "reason_missing"), ("x" * 501, "reason_too_long")]
    )
    def test_a_warning_says_what_it_is_for(self, reason: str, code: str) -> None:
        channel().when(self.warn(reason)).then_rejected(code)

    def test_the_warned_say_once_that_they_have_read_it(self) -> None:
        channel(self.warned).when(self.acknowledge).then(self.read)
        channel(self.warned, self.read).when(self.acknowledge).then_nothing()
        channel().when(self.acknowledge).then_nothing()


class TestAskingToBeLetIn:
    def ask(self, actor: str = CAT, text: str = "sorry", at_s: float = 0) -> RequestUnban:
        return wish(RequestUnban, actor=actor, at_s=at_s, channel_id=ADA, request_id="r", text=text)

    asked = happened(UnbanRequested, channel_id=ADA, request_id="r", target_id=CAT, text="sorry")

    def answer(self, approved: bool, text: str = "", actor: str = BOB, at_s: float = 0) -> ResolveUnbanRequest:
        return wish(
            ResolveUnbanRequest, actor=actor, at_s=at_s, channel_id=ADA, request_id="r", approved=approved, text=text
        )

    def answered(self, approved: bool, text: str = "") -> UnbanRequestResolved:
        return happened(
            UnbanRequestResolved, channel_id=ADA, request_id="r", target_id=CAT, approved=approved, text=text
        )

    def test_the_banned_ask(self) -> None:
        channel(banned()).when(self.ask()).then(self.asked)

    def test_others_have_nothing_to_ask_for(self) -> None:
        channel().when(self.ask()).then_rejected("not_banned")
        channel(banned(for_s=60)).when(self.ask()).then_rejected("not_banned")

    def test_once_a_ban(self) -> None:
        channel(banned(), self.asked).when(self.ask()).then_rejected("already_asked")
        channel(banned(), self.asked, self.answered(False)).when(self.ask()).then_rejected("already_asked")
        channel(banned(), self.asked, unbanned(), banned()).when(self.ask()).then(self.asked)

    def test_in_five_hundred_characters(self) -> None:
        channel(banned()).when(self.ask(text="x" * 501)).then_rejected("reason_too_long")

    def test_an_approved_request_ends_the_ban(self) -> None:
        channel(banned(), self.asked).when(self.answer(True, "welcome")).then(
            self.answered(True, "welcome"), unbanned()
        )

    def test_a_denied_one_does_not(self) -> None:
        channel(banned(), self.asked).when(self.answer(False, "no")).then(self.answered(False, "no"))

    def test_a_request_may_be_approved_after_the_ban_is_gone(self) -> None:
        channel(banned(), self.asked, unbanned()).when(self.answer(True)).then(self.answered(True))

    def test_a_request_is_answered_once(self) -> None:
        channel(banned()).when(self.answer(True)).then_rejected("unknown_unban_request")
        channel(banned(), self.asked, self.answered(False)).when(self.answer(True)).then_rejected(
            "unknown_unban_request"
        )

    def test_by_a_moderator_in_five_hundred_characters(self) -> None:
        channel(banned(), self.asked).when(self.answer(True, actor=CAT)).then_rejected("unauthorised")
        channel(banned(), self.asked).when(self.answer(True, "x" * 501)).then_rejected("reason_too_long")

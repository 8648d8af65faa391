"""What one command takes back of a moderator's spree."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

from commands.deciders import channels
from schemas.commands.moderation import UndoModeration
from schemas.events.accounts import UserRegistered
from schemas.events.channel_roles import ModeratorAdded
from schemas.events.chat_policy import BlockedTermAdded, BlockedTermRemoved
from schemas.events.moderation import ModerationUndone, UserBanned, UserUnbanned
from schemas.message import Event
from tests.commands.scenario import ADA, BOB, NOON, Scenario, happened, wish

CAT, DAN, EVE = "1003", "1004", "1005"
ADA_EXISTS = happened(UserRegistered, user_id=ADA, login="ada", display_name="Ada", password_hash="h")
MODERATORS = [happened(ModeratorAdded, channel_id=ADA, target_id=user_id) for user_id in (BOB, CAT)]

E = TypeVar("E", bound=Event)


def by(actor: str, event: E) -> E:
    return event.model_copy(update={"actor": actor})


def banned(target_id: str, by_id: str = BOB, at_s: float = 0, for_s: float | None = None) -> UserBanned:
    until = None if for_s is None else NOON + timedelta(seconds=at_s + for_s)
    return by(by_id, happened(UserBanned, at_s, channel_id=ADA, target_id=target_id, expires_at=until))


def blocked(term_id: str, by_id: str = BOB, at_s: float = 0) -> BlockedTermAdded:
    return by(by_id, happened(BlockedTermAdded, at_s, channel_id=ADA, term_id=term_id, text=f"word {term_id}"))


def channel(*events: Event) -> Scenario:
    return Scenario(channels).given(ADA_EXISTS, *MODERATORS, *events)


def undo(since_s: float = 0, until_s: float = 60, actor: str = ADA, at_s: float = 100) -> UndoModeration:
    return wish(UndoModeration, actor=actor, at_s=at_s, **_span(since_s, until_s))


def undone(since_s: float = 0, until_s: float = 60) -> ModerationUndone:
    return happened(ModerationUndone, **_span(since_s, until_s))


def _span(since_s: float, until_s: float) -> dict[str, Any]:
    span = {"since": NOON + timedelta(seconds=since_s), "until": NOON + timedelta(seconds=until_s)}
    return {"channel_id": ADA, "target_id": BOB, **span}


def unbanned(target_id: str) -> UserUnbanned:
    return happened(UserUnbanned, channel_id=ADA, target_id=target_id)


def freed(term_id: str) -> BlockedTermRemoved:
    return happened(BlockedTermRemoved, channel_id=ADA, term_id=term_id)


def test_the_owner_takes_back_bans_and_terms_and_deletions_do_not_count() -> None:
    spree = [banned(DAN, at_s=1), banned(EVE, at_s=2, for_s=600), blocked("s", at_s=3), blocked("t", at_s=4)]
    channel(*spree).when(undo()).then(undone(), unbanned(DAN), unbanned(EVE), freed("s"), freed("t"))


def test_where_nothing_else_was_done_the_deletions_alone_are_undone() -> None:
    channel().when(undo()).then(undone())


def test_what_lies_outside_the_time_stays() -> None:
    channel(banned(DAN, at_s=-1), banned(EVE, at_s=61), blocked("t", at_s=61)).when(undo()).then(undone())


def test_both_ends_of_the_time_belong_to_it() -> None:
    channel(banned(DAN, at_s=0), banned(EVE, at_s=60)).when(undo()).then(undone(), unbanned(DAN), unbanned(EVE))


def test_what_others_did_stays() -> None:
    channel(banned(DAN, by_id=CAT), blocked("t", by_id=CAT)).when(undo()).then(undone())


def test_who_was_banned_again_by_another_stays_banned() -> None:
    channel(banned(DAN, for_s=600), banned(DAN, by_id=CAT, at_s=1)).when(undo()).then(undone())


def test_a_timeout_that_is_over_needs_no_lifting() -> None:
    channel(banned(DAN, for_s=10)).when(undo()).then(undone())


def test_neither_moderators_nor_viewers_undo() -> None:
    channel(banned(DAN)).when(undo(actor=CAT)).then_rejected("unauthorised")
    channel(banned(DAN)).when(undo(actor=EVE)).then_rejected("unauthorised")


def test_the_time_begins_before_it_ends_and_is_over() -> None:
    channel().when(undo(61, 60)).then_rejected("bad_span")
    channel().when(undo(0, 101)).then_rejected("bad_span")
    channel().when(undo(60, 60)).then(undone(60, 60))


def test_a_thousand_things_are_undone_at_once() -> None:
    many = [blocked(str(number)) for number in range(channels.MAX_UNDONE)]
    channel(*many).when(undo()).then(undone(), *[freed(term_id) for term_id in sorted(map(str, range(1000)))])
    channel(*many, banned(DAN)).when(undo()).then_rejected("too_much_to_undo")


def test_a_channel_must_exist() -> None:
    Scenario(channels).when(undo()).then_rejected("unknown_channel")

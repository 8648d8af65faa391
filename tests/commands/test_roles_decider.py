"""Who may be made a moderator or a VIP of a channel, and by whom."""

from __future__ import annotations

import pytest

from commands.deciders import channels, roles
from schemas.commands.channel_roles import AddModerator, AddVip, RemoveModerator, RemoveVip, RoleCommand
from schemas.events.accounts import UserRegistered
from schemas.events.channel_roles import ModeratorAdded, ModeratorRemoved, RoleEvent, VipAdded, VipRemoved
from schemas.events.moderation import UserBanned
from schemas.message import Event
from tests.commands.scenario import ADA, BOB, Scenario, happened, wish

ADA_EXISTS = happened(UserRegistered, user_id=ADA, login="ada", display_name="Ada", password_hash="h")

ADDING = [(AddModerator, ModeratorAdded), (AddVip, VipAdded)]
REMOVING = [(RemoveModerator, ModeratorAdded, ModeratorRemoved), (RemoveVip, VipAdded, VipRemoved)]


def about(event: type[RoleEvent], target_id: str = BOB) -> RoleEvent:
    return happened(event, channel_id=ADA, target_id=target_id)


def channel(*events: Event) -> Scenario:
    return Scenario(channels).given(ADA_EXISTS, *events)


@pytest.mark.parametrize(("command", "event"), ADDING)
def test_the_owner_gives_a_role(command: type[RoleCommand], event: type[RoleEvent]) -> None:
    channel().when(wish(command, channel_id=ADA, target_id=BOB)).then(about(event))


@pytest.mark.parametrize(("command", "given", "event"), REMOVING)
def test_the_owner_takes_a_role_away(
    command: type[RoleCommand], given: type[RoleEvent], event: type[RoleEvent]
) -> None:
    channel(about(given)).when(wish(command, channel_id=ADA, target_id=BOB)).then(about(event))


@pytest.mark.parametrize("command", [AddModerator, AddVip, RemoveModerator, RemoveVip])
@pytest.mark.parametrize("actor", ["1003", BOB])
def test_nobody_else_does_not_even_a_moderator(command: type[RoleCommand], actor: str) -> None:
    moderated = channel(about(ModeratorAdded), about(VipAdded, "1004"))
    moderated.when(wish(command, actor=actor, channel_id=ADA, target_id="1004")).then_rejected("unauthorised")


@pytest.mark.parametrize("command", [AddModerator, AddVip, RemoveModerator, RemoveVip])
def test_the_owner_needs_no_role(command: type[RoleCommand]) -> None:
    channel().when(wish(command, channel_id=ADA, target_id=ADA)).then_rejected("bad_target")


@pytest.mark.parametrize(
    ("given", "command", "code"),
    [
        (ModeratorAdded, AddModerator, "already_moderator"),
        (VipAdded, AddModerator, "is_vip"),
        (VipAdded, AddVip, "already_vip"),
        (ModeratorAdded, AddVip, "is_moderator"),
    ],
)
def test_nobody_holds_a_role_twice_or_both(given: type[RoleEvent], command: type[RoleCommand], code: str) -> None:
    channel(about(given)).when(wish(command, channel_id=ADA, target_id=BOB)).then_rejected(code)


@pytest.mark.parametrize(("command", "code"), [(RemoveModerator, "not_moderator"), (RemoveVip, "not_vip")])
def test_only_a_role_that_is_held_is_taken_away(command: type[RoleCommand], code: str) -> None:
    channel().when(wish(command, channel_id=ADA, target_id=BOB)).then_rejected(code)


@pytest.mark.parametrize(("command", "event"), ADDING)
def test_the_banned_get_no_role(command: type[RoleCommand], event: type[RoleEvent]) -> None:
    banned = happened(UserBanned, channel_id=ADA, target_id=BOB)
    channel(banned).when(wish(command, channel_id=ADA, target_id=BOB)).then_rejected("is_banned")


@pytest.mark.parametrize(
    ("command", "event", "limit", "code"),
    [
        (AddModerator, ModeratorAdded, roles.MAX_MODERATORS, "too_many_moderators"),
        (AddVip, VipAdded, roles.MAX_VIPS, "too_many_vips"),
    ],
)
def test_a_channel_has_a_limit_of_each(
    command: type[RoleCommand], event: type[RoleEvent], limit: int, code: str
) -> None:
    many = [about(event, str(5000 + number)) for number in range(limit)]
    channel(*many[1:]).when(wish(command, channel_id=ADA, target_id=BOB)).then(about(event))
    channel(*many).when(wish(command, channel_id=ADA, target_id=BOB)).then_rejected(code)


def test_a_channel_must_exist() -> None:
    Scenario(channels).when(wish(AddModerator, channel_id=ADA, target_id=BOB)).then_rejected("unknown_channel")

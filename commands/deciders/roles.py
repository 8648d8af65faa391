"""Who helps to run a channel, and what that lets them do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from rpds import HashTrieSet

from commands.deciders.envelope import SYSTEM, caused_by, require_owner
from commands.rejection import Rejected
from schemas.commands.channel_roles import AddModerator, AddVip, RemoveModerator, RemoveVip, RoleCommand
from schemas.events.channel_roles import ModeratorAdded, ModeratorRemoved, VipAdded, VipRemoved
from schemas.message import Command, Event

MAX_MODERATORS = 500
MAX_VIPS = 500


@dataclass(frozen=True, slots=True)
class Roles:
    """Nobody is both; the owner is neither."""

    moderators: HashTrieSet[str] = field(default_factory=HashTrieSet)
    vips: HashTrieSet[str] = field(default_factory=HashTrieSet)


def may_moderate(roles: Roles, channel_id: str, user_id: str) -> bool:
    return user_id == channel_id or user_id in roles.moderators or user_id.startswith(SYSTEM)


def require_moderator(command: Command, roles: Roles, channel_id: str) -> None:
    """Refuse who neither owns nor moderates the channel."""
    if not may_moderate(roles, channel_id, command.actor):
        raise Rejected("unauthorised", "only the channel's owner and its moderators may do this")


def decide(command: RoleCommand, roles: Roles) -> Sequence[Event]:
    require_owner(command, command.channel_id)
    if command.target_id == command.channel_id:
        raise Rejected("bad_target", "the owner may do everything without a role")
    return _DECIDERS[type(command)](command, roles)


def evolve(roles: Roles, event: Event) -> Roles:
    match event:
        case ModeratorAdded():
            return replace(roles, moderators=roles.moderators.insert(event.target_id))
        case ModeratorRemoved():
            return replace(roles, moderators=roles.moderators.discard(event.target_id))
        case VipAdded():
            return replace(roles, vips=roles.vips.insert(event.target_id))
        case VipRemoved():
            return replace(roles, vips=roles.vips.discard(event.target_id))
    return roles


def _add_moderator(command: RoleCommand, roles: Roles) -> Sequence[Event]:
    if command.target_id in roles.moderators:
        raise Rejected("already_moderator", "this user moderates the channel already")
    if command.target_id in roles.vips:
        raise Rejected("is_vip", "this user is a VIP; remove them as VIP first")
    if len(roles.moderators) >= MAX_MODERATORS:
        raise Rejected("too_many_moderators", f"a channel has at most {MAX_MODERATORS} moderators; remove one first")
    return [ModeratorAdded(**caused_by(command), channel_id=command.channel_id, target_id=command.target_id)]


def _remove_moderator(command: RoleCommand, roles: Roles) -> Sequence[Event]:
    if command.target_id not in roles.moderators:
        raise Rejected("not_moderator", "this user does not moderate the channel")
    return [ModeratorRemoved(**caused_by(command), channel_id=command.channel_id, target_id=command.target_id)]


def _add_vip(command: RoleCommand, roles: Roles) -> Sequence[Event]:
    if command.target_id in roles.vips:
        raise Rejected("already_vip", "this user is a VIP already")
    if command.target_id in roles.moderators:
        raise Rejected("is_moderator", "this user is a moderator; remove them as moderator first")
    if len(roles.vips) >= MAX_VIPS:
        raise Rejected("too_many_vips", f"a channel has at most {MAX_VIPS} VIPs; remove one first")
    return [VipAdded(**caused_by(command), channel_id=command.channel_id, target_id=command.target_id)]


def _remove_vip(command: RoleCommand, roles: Roles) -> Sequence[Event]:
    if command.target_id not in roles.vips:
        raise Rejected("not_vip", "this user is no VIP of the channel")
    return [VipRemoved(**caused_by(command), channel_id=command.channel_id, target_id=command.target_id)]


_DECIDERS: dict[type[RoleCommand], Callable[[RoleCommand, Roles], Sequence[Event]]] = {
    AddModerator: _add_moderator,
    RemoveModerator: _remove_moderator,
    AddVip: _add_vip,
    RemoveVip: _remove_vip,
}

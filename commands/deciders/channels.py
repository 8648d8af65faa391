"""A channel: what it says of itself, who helps to run it, how its chat is run. It exists as soon as its user does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rpds import HashTrieMap

from commands.deciders import bans, emotes, policy, profile, roles
from commands.deciders.envelope import caused_by, require_owner
from commands.rejection import Rejected
from schemas.commands.channel_roles import AddModerator, AddVip, RoleCommand
from schemas.commands.channels import UpdateChannel
from schemas.commands.chat_policy import PolicyCommand
from schemas.commands.emotes import EmoteCommand
from schemas.commands.moderation import AcknowledgeWarning, ModerationCommand, RequestUnban, UndoModeration
from schemas.events.accounts import UserRegistered
from schemas.events.chat_policy import BlockedTermAdded, BlockedTermRemoved
from schemas.events.emotes import EmoteAdded
from schemas.events.moderation import ModerationUndone, UnbanRequested, UserBanned, UserUnbanned
from schemas.message import Command, Event

MAX_UNDONE = 1_000


@dataclass(frozen=True, slots=True)
class Channel:
    exists: bool = False
    profile: profile.Profile = field(default_factory=profile.Profile)
    roles: roles.Roles = field(default_factory=roles.Roles)
    bans: bans.Bans = field(default_factory=bans.Bans)
    policy: policy.Policy = field(default_factory=policy.Policy)
    emotes: emotes.Emotes = field(default_factory=HashTrieMap)


def initial_state() -> Channel:
    return Channel()


def decide(command: Command, channel: Channel) -> Sequence[Event]:
    match command:
        case UpdateChannel():
            _require(channel, owned_by=command)
            return profile.decide(command, channel.profile)
        case RoleCommand():
            _require(channel, owned_by=command)
            if isinstance(command, AddModerator | AddVip) and _is_banned(command, channel):
                raise Rejected("is_banned", "this user is banned; unban them first")
            return roles.decide(command, channel.roles)
        case EmoteCommand():
            _require(channel, owned_by=command)
            return emotes.decide(command, channel.emotes)
        case UndoModeration():
            _require(channel, owned_by=command)
            return _undo(command, channel)
        case AcknowledgeWarning() | RequestUnban():  # of those who are moderated
            _require(channel)
            return bans.decide(command, channel.bans, channel.roles)
        case ModerationCommand():
            _require(channel, moderated_by=command)
            return bans.decide(command, channel.bans, channel.roles)
        case PolicyCommand():
            _require(channel, moderated_by=command)
            return policy.decide(command, channel.policy)
    raise TypeError(f"{type(command).__name__} is no command on channels")


def evolve(channel: Channel, event: Event) -> Channel:
    if isinstance(event, UserRegistered):
        return replace(channel, exists=True)
    before = {name: getattr(channel, name) for name in _PARTS}
    after = {name: evolve_part(before[name], event) for name, evolve_part in _PARTS.items()}
    changed = {name: part for name, part in after.items() if part is not before[name]}
    return replace(channel, **changed) if changed else channel


def reply(event: Event) -> dict[str, str]:
    """The ids and times of what was made: those of the first time, where a command is repeated."""
    match event:
        case BlockedTermAdded():
            return {"term_id": event.term_id, "created_at": event.occurred_at.isoformat()}
        case UnbanRequested():
            return {"request_id": event.request_id, "created_at": event.occurred_at.isoformat()}
        case EmoteAdded():
            return {"emote_id": event.emote_id}
        case UserBanned():
            return {"created_at": event.occurred_at.isoformat()}
    return {}


_PARTS: dict[str, Callable[[Any, Event], Any]] = {
    "profile": profile.evolve,
    "roles": roles.evolve,
    "bans": bans.evolve,
    "policy": policy.evolve,
    "emotes": emotes.evolve,
}


def _require(channel: Channel, *, owned_by: Command | None = None, moderated_by: Command | None = None) -> None:
    if not channel.exists:
        raise Rejected("unknown_channel", "there is no such channel")
    if owned_by is not None:
        require_owner(owned_by, owned_by.key)
    if moderated_by is not None:
        roles.require_moderator(moderated_by, channel.roles, moderated_by.key)


def _is_banned(command: RoleCommand, channel: Channel) -> bool:
    return channel.bans.ban_of(command.target_id, command.issued_at) is not None


def _undo(command: UndoModeration, channel: Channel) -> Sequence[Event]:
    """One command undoes a moderator's spree; who was banned again by another stays banned."""
    if not command.since <= command.until <= command.issued_at:
        raise Rejected("bad_span", "the time to undo begins before it ends, and ends before now")
    unbanned = list(channel.bans.laid_by(command.target_id, command.since, command.until, command.issued_at))
    terms = list(_terms_of(command, channel))
    if len(unbanned) + len(terms) > MAX_UNDONE:
        raise Rejected(
            "too_much_to_undo", f"at most {MAX_UNDONE} bans and terms are undone at once; name a shorter time"
        )
    undone = ModerationUndone(
        **caused_by(command),
        channel_id=command.channel_id,
        target_id=command.target_id,
        since=command.since,
        until=command.until,
    )
    lifted = [
        UserUnbanned(**caused_by(command, index), channel_id=command.channel_id, target_id=user_id)
        for index, user_id in enumerate(unbanned, 1)
    ]
    removed = [
        BlockedTermRemoved(**caused_by(command, index), channel_id=command.channel_id, term_id=term_id)
        for index, term_id in enumerate(terms, 1 + len(unbanned))
    ]
    return [undone, *lifted, *removed]


def _terms_of(command: UndoModeration, channel: Channel) -> Iterator[str]:
    since_s, until_s = command.since.timestamp(), command.until.timestamp()
    return (
        term_id
        for term_id, term in sorted(channel.policy.terms.items())
        if term.by == command.target_id and since_s <= term.at_s <= until_s
    )

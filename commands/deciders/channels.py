"""A channel: what it says of itself, who helps to run it, how its chat is run. It exists as soon as its user does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rpds import HashTrieMap

from commands.deciders import bans, emotes, policy, profile, roles
from commands.deciders.envelope import caused_by, require_owner
from commands.rejection import Rejected
from schemas.commands.channel_roles import RoleCommand
from schemas.commands.channels import UpdateChannel
from schemas.commands.chat_policy import PolicyCommand
from schemas.commands.emotes import EmoteCommand
from schemas.commands.moderation import AcknowledgeWarning, ModerationCommand, RequestUnban, UndoModeration
from schemas.events.accounts import UserRegistered
from schemas.events.chat_policy import BlockedTermRemoved
from schemas.events.moderation import ModerationUndone, UserUnbanned
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
    if not channel.exists:
        raise Rejected("unknown_channel", "there is no such channel")
    match command:
        case UpdateChannel():
            require_owner(command, command.channel_id)
            return profile.decide(command, channel.profile)
        case RoleCommand():
            return roles.decide(command, channel.roles)
        case EmoteCommand():
            require_owner(command, command.channel_id)
            return emotes.decide(command, channel.emotes)
        case AcknowledgeWarning() | RequestUnban():  # of those who are moderated
            return bans.decide(command, channel.bans, channel.roles)
        case UndoModeration():
            return _undo(command, channel)
        case ModerationCommand():
            roles.require_moderator(command, channel.roles, command.channel_id)
            return bans.decide(command, channel.bans, channel.roles)
        case PolicyCommand():
            roles.require_moderator(command, channel.roles, command.channel_id)
            return policy.decide(command, channel.policy)
    raise TypeError(f"{type(command).__name__} is no command on channels")


def evolve(channel: Channel, event: Event) -> Channel:
    if isinstance(event, UserRegistered):
        return replace(channel, exists=True)
    return Channel(
        channel.exists,
        profile.evolve(channel.profile, event),
        roles.evolve(channel.roles, event),
        bans.evolve(channel.bans, event),
        policy.evolve(channel.policy, event),
        emotes.evolve(channel.emotes, event),
    )


def _undo(command: UndoModeration, channel: Channel) -> Sequence[Event]:
    """One command undoes a moderator's spree; who was banned again by another stays banned."""
    require_owner(command, command.channel_id)
    if command.since > command.until:
        raise Rejected("bad_span", "the time to undo ends before it begins")
    unbanned = list(channel.bans.laid_by(command.target_id, command.since, command.until))
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

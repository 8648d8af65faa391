"""Who may not speak in a channel: bans, timeouts, warnings, and what the banned ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rpds import HashTrieMap, HashTrieSet

from commands.deciders.envelope import caused_by
from commands.deciders.roles import Roles, may_moderate
from commands.deciders.text import one_line
from commands.rejection import Rejected
from schemas.commands.moderation import (
    AcknowledgeWarning,
    BanUser,
    ModerationCommand,
    RequestUnban,
    ResolveUnbanRequest,
    UnbanUser,
    WarnUser,
)
from schemas.events.channel_roles import ModeratorRemoved
from schemas.events.moderation import (
    UnbanRequested,
    UnbanRequestResolved,
    UserBanned,
    UserUnbanned,
    UserWarned,
    WarningAcknowledged,
)
from schemas.message import Event

BAN_S = range(1, 1_209_601)
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Ban:
    """`until` None is for good."""

    by: str
    at: datetime
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Bans:
    """`requests` are the open ones, each with the user who asks; `asked` are those who asked in the ban they are in."""

    banned: HashTrieMap[str, Ban] = field(default_factory=HashTrieMap)
    warned: HashTrieSet[str] = field(default_factory=HashTrieSet)
    requests: HashTrieMap[str, str] = field(default_factory=HashTrieMap)
    asked: HashTrieSet[str] = field(default_factory=HashTrieSet)

    def ban_of(self, user_id: str, now: datetime) -> Ban | None:
        """The ban that holds now."""
        ban = self.banned.get(user_id)
        return ban if ban is not None and ban.holds(now) else None

    def laid_by(self, moderator_id: str, since: datetime, until: datetime, now: datetime) -> Iterator[str]:
        """Whom a moderator banned in a time and whose ban holds now, in a stable order."""
        laid = ((ban.at, user_id) for user_id, ban in self.banned.items() if ban.by == moderator_id and ban.holds(now))
        return (user_id for at, user_id in sorted(laid) if since <= at <= until)


def evolve(bans: Bans, event: Event) -> Bans:
    match event:
        case UserBanned():
            ban = Ban(event.actor, event.occurred_at, event.expires_at)
            return replace(bans, banned=bans.banned.insert(event.target_id, ban), asked=_without(bans, event.target_id))
        case UserUnbanned():
            return replace(bans, banned=bans.banned.discard(event.target_id), asked=_without(bans, event.target_id))
        case UserWarned():
            return replace(bans, warned=bans.warned.insert(event.target_id))
        case WarningAcknowledged():
            return replace(bans, warned=bans.warned.discard(event.target_id))
        case UnbanRequested():
            requests = bans.requests.insert(event.request_id, event.target_id)
            return replace(bans, requests=requests, asked=bans.asked.insert(event.target_id))
        case UnbanRequestResolved():
            return replace(bans, requests=bans.requests.discard(event.request_id))
    return bans


def decide(command: ModerationCommand, bans: Bans, roles: Roles) -> Sequence[Event]:
    """Whoever moderates may do what moderators do: the channel has seen to that."""
    match command:
        case BanUser():
            return _ban(command, bans, roles)
        case UnbanUser():
            if bans.ban_of(command.target_id, command.issued_at) is None:
                raise Rejected("not_banned", "this user is not banned")
            return [UserUnbanned(**caused_by(command), channel_id=command.channel_id, target_id=command.target_id)]
        case WarnUser():
            return _warn(command, roles)
        case AcknowledgeWarning():
            if command.actor not in bans.warned:
                return []
            return [WarningAcknowledged(**caused_by(command), channel_id=command.channel_id, target_id=command.actor)]
        case RequestUnban():
            return _request(command, bans)
        case ResolveUnbanRequest():
            return _resolve(command, bans)
    raise TypeError(f"{type(command).__name__} is no command on bans")


def _ban(command: BanUser, bans: Bans, roles: Roles) -> Sequence[Event]:
    _require_outranked(command, command.target_id, roles)
    reason = _short(command.reason)
    if command.duration_s is not None and command.duration_s not in BAN_S:
        raise Rejected("bad_duration", f"a timeout is 1 to {BAN_S.stop - 1} s; leave it out to ban for good")
    earlier = bans.ban_of(command.target_id, command.issued_at)
    if earlier is not None and earlier.until is None:
        raise Rejected("already_banned", "this user is banned for good already; unban them first")
    until = None if command.duration_s is None else command.issued_at + timedelta(seconds=command.duration_s)
    banned = UserBanned(
        **caused_by(command),
        channel_id=command.channel_id,
        target_id=command.target_id,
        target_login=command.target_login,
        reason=reason,
        expires_at=until,
    )
    if command.target_id not in roles.moderators:
        return [banned]
    removed = ModeratorRemoved(**caused_by(command, 1), channel_id=command.channel_id, target_id=command.target_id)
    return [removed, banned]  # whoever bans is answered with what the last event says


def _warn(command: WarnUser, roles: Roles) -> Sequence[Event]:
    _require_outranked(command, command.target_id, roles)
    reason = _short(command.reason)
    if not reason:
        raise Rejected("reason_missing", "a warning says what it is for")
    return [UserWarned(**caused_by(command), channel_id=command.channel_id, target_id=command.target_id, reason=reason)]


def _request(command: RequestUnban, bans: Bans) -> Sequence[Event]:
    ban = bans.ban_of(command.actor, command.issued_at)
    if ban is None or ban.until is not None:
        raise Rejected("not_banned", "only who is banned for good asks to be let in again")
    if command.actor in bans.asked:
        raise Rejected("already_asked", "this ban's one request was made already")
    return [
        UnbanRequested(
            **caused_by(command),
            channel_id=command.channel_id,
            request_id=command.request_id,
            target_id=command.actor,
            text=_short(command.text),
        )
    ]


def _resolve(command: ResolveUnbanRequest, bans: Bans) -> Sequence[Event]:
    user_id = bans.requests.get(command.request_id)
    if user_id is None:
        raise Rejected("unknown_unban_request", "there is no such open request")
    resolved = UnbanRequestResolved(
        **caused_by(command),
        channel_id=command.channel_id,
        request_id=command.request_id,
        target_id=user_id,
        approved=command.approved,
        text=_short(command.text),
    )
    if not command.approved or bans.ban_of(user_id, command.issued_at) is None:
        return [resolved]
    return [resolved, UserUnbanned(**caused_by(command, 1), channel_id=command.channel_id, target_id=user_id)]


def _require_outranked(command: ModerationCommand, target_id: str, roles: Roles) -> None:
    """Moderators are answered for by the owner alone."""
    if target_id in (command.channel_id, command.actor):
        raise Rejected("bad_target", "neither the channel's owner nor oneself can be the target")
    if command.actor != command.channel_id and may_moderate(roles, command.channel_id, target_id):
        raise Rejected("unauthorised", "only the channel's owner may do this to a moderator")


def _short(text: str) -> str:
    text = one_line(text)
    if len(text) > MAX_REASON:
        raise Rejected("reason_too_long", f"a reason has at most {MAX_REASON} characters")
    return text


def _without(bans: Bans, user_id: str) -> HashTrieSet[str]:
    return bans.asked.discard(user_id)

"""What an event looks like to those in a room."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping

from query_api.chat.facts import FOLDED, STANDING, Facts
from query_api.chat.fragments import cheered, fragments_of, text_of
from query_api.chat.frames import (
    Badge,
    Cheer,
    Cleared,
    Deleted,
    MessageShown,
    Raid,
    Reaction,
    Reply,
    RoomFrame,
    RoomState,
    Subscribed,
    User,
    UserBanned,
)
from schemas.events import chat, chat_policy, moderation, support
from schemas.message import Event

SHOWN: tuple[type[Event], ...] = (
    chat.MessageSent,
    chat.MessageDeleted,
    chat.ChatCleared,
    chat.Reacted,
    chat.RaidReceived,
    moderation.UserBanned,
    chat_policy.ChatSettingsUpdated,
    chat_policy.ShieldModeChanged,
    support.DonationReceived,
    support.UserSubscribed,
)
"""What rooms show. What AutoMod stopped is nobody's but the moderators'."""

WANTED: frozenset[type[Event]] = frozenset((*SHOWN, *FOLDED, *STANDING))

COLOURS = (
    "#FF0000", "#0000FF", "#008000", "#B22222", "#FF7F50", "#9ACD32", "#FF4500", "#2E8B57",
    "#DAA520", "#D2691E", "#5F9EA0", "#1E90FF", "#FF69B4", "#8A2BE2", "#00FF7F",
)  # fmt: skip
"""Those that Twitch gives to who has chosen none."""


def frame_of(event: Event, facts: Facts, said: Mapping[str, MessageShown]) -> RoomFrame | None:
    """None where a room shows nothing. `said` are the messages that the room remembers, by id."""
    match event:
        case chat.MessageSent():
            return _message(event, said)
        case chat.MessageDeleted():
            return Deleted(room_id=event.channel_id, message_id=event.message_id, user_id=event.sender_id)
        case chat.ChatCleared():
            return Cleared(room_id=event.channel_id)
        case chat.Reacted():
            return Reaction(
                room_id=event.channel_id, user_id=event.reactor_id, emote=event.emote, message_id=event.message_id
            )
        case chat.RaidReceived():
            raider = User(id=event.from_id, login=event.from_login, name=event.from_name or event.from_login)
            return Raid(room_id=event.channel_id, user=raider, viewers=event.viewers, timestamp=event.occurred_at)
        case moderation.UserBanned():
            return _ban(event, said)
        case chat_policy.ChatSettingsUpdated() | chat_policy.ShieldModeChanged():
            return RoomState(room_id=event.channel_id, room_state=facts.modes_in_force())
        case support.DonationReceived() if event.message:
            return _cheer(event, facts)
        case support.UserSubscribed():
            return _subscription(event)
    return None


def without(frame: RoomFrame, erased: Collection[str]) -> RoomFrame:
    """The frame that its event makes once these users are erased."""
    changes: dict[str, object] = {}
    user = getattr(frame, "user", None)
    if isinstance(user, User) and user.id in erased:
        changes["user"] = User(id=user.id, login="", name="")
    match frame:
        case MessageShown():
            if changes:
                changes |= {"content": "", "fragments": []}
            if frame.reply is not None and frame.reply.user is not None and frame.reply.user.id in erased:
                changes["reply"] = Reply(message_id=frame.reply.message_id)
        case UserBanned() if frame.user_id in erased:
            changes["login"] = ""
    return frame.model_copy(update=changes) if changes else frame


def colour_of(user_id: str) -> str:
    """The colour of a user's name: always the same."""
    return COLOURS[zlib.crc32(user_id.encode()) % len(COLOURS)]


def _message(event: chat.MessageSent, said: Mapping[str, MessageShown]) -> MessageShown:
    return MessageShown(
        room_id=event.channel_id,
        id=event.message_id,
        user=User(id=event.sender_id, login=event.sender_login, name=event.sender_name or event.sender_login),
        content=event.text,
        timestamp=event.occurred_at,
        badges=[Badge(set_id=name, id=version or "1") for name, _, version in _parted(event.badges)],
        color=colour_of(event.sender_id),
        fragments=fragments_of(event.text, event.emotes),
        reply=_reply(event.reply_parent_id, said),
        announcement=event.announcement or None,
    )


def _cheer(event: support.DonationReceived, facts: Facts) -> MessageShown:
    """What was said with a donation: a message that begins with the amount. Given silently, it is not shown."""
    cheer = Cheer(amount_minor=event.amount_minor, currency=event.currency)
    fragments = cheered(cheer, event.message, event.emotes)
    return MessageShown(
        room_id=event.channel_id,
        id=event.donation_id,
        user=User(id=event.donor_id, login=event.donor_login, name=event.donor_name or event.donor_login),
        content=text_of(fragments),
        timestamp=event.occurred_at,
        badges=[Badge(set_id=role, id="1") for role in facts.roles_of(event.channel_id, event.donor_id)],
        color=colour_of(event.donor_id),
        fragments=fragments,
        cheer=cheer,
    )


def _subscription(event: support.UserSubscribed) -> Subscribed:
    return Subscribed(
        room_id=event.channel_id,
        id=event.event_id,
        user=User(
            id=event.subscriber_id,
            login=event.subscriber_login,
            name=event.subscriber_name or event.subscriber_login,
        ),
        tier=event.tier,
        since=event.since,
        months=support.months_of(event.since, event.occurred_at),
        timestamp=event.occurred_at,
    )


def _parted(badges: list[str]) -> list[tuple[str, str, str]]:
    return [badge.partition("/") for badge in badges]


def _reply(message_id: str | None, said: Mapping[str, MessageShown]) -> Reply | None:
    if message_id is None:
        return None
    parent = said.get(message_id)
    if parent is None:
        return Reply(message_id=message_id)
    return Reply(message_id=message_id, user=parent.user, content=parent.content)


def _ban(event: moderation.UserBanned, said: Mapping[str, MessageShown]) -> UserBanned:
    login = event.target_login or next(
        (message.user.login for message in said.values() if message.user.id == event.target_id), ""
    )
    duration_s = None
    if event.expires_at is not None:
        duration_s = max(1, round((event.expires_at - event.occurred_at).total_seconds()))
    return UserBanned(room_id=event.channel_id, user_id=event.target_id, login=login, duration_s=duration_s)

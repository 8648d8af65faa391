"""Who may say what: the drop codes are Twitch's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from commands.automod.verdict import FOR_GOOD, VERSION, Ear, Finding, Message, examine
from commands.deciders.chat.emoting import badges_of, emotes_in, emotes_of, is_only_emotes
from commands.deciders.chat.room import Room
from commands.deciders.chat.talk import RATE_SPAN, Speaker, digest
from commands.deciders.envelope import caused_by
from commands.deciders.policy import automod_in_force, modes_in_force
from commands.deciders.roles import may_moderate, require_moderator
from commands.deciders.text import one_line
from commands.identity import derived_id
from commands.rejection import Rejected
from schemas.commands.chat import Announce, SendMessage
from schemas.events.channels import PUBLIC, SUBSCRIBERS
from schemas.events.chat import MessageHeld, MessageRefused, MessageSent
from schemas.message import Event

MAX_TEXT = 500
RATE = 20
MODERATOR_RATE = 100
"""Messages in 30 s."""
REPEAT_SPAN = timedelta(seconds=30)
UNIQUE_SPAN = timedelta(hours=24)
UNIQUE_LENGTH = 9
"""Shorter texts may repeat in unique-chat mode: greetings and cheers."""
COLOURS = ("primary", "blue", "green", "orange", "purple")


class Saying(NamedTuple):
    """A message that somebody wants to say."""

    text: str
    sender_id: str
    channel_id: str
    at: datetime
    reply_parent_id: str | None = None


def send(command: SendMessage, room: Room) -> Sequence[Event]:
    text = _said(command.text)
    saying = Saying(text, command.actor, command.channel_id, command.issued_at, command.reply_parent_id)
    finding = judge(saying, room)
    if finding is not None:
        return [_stopped(command, text, finding)]
    return [_spoken(command, text, room, reply_parent_id=command.reply_parent_id)]


def judge(saying: Saying, room: Room) -> Finding | None:
    """What AutoMod stops it for; None lets it through. Raises Rejected where the rules of the room refuse it."""
    now = saying.at
    require_admitted(saying.sender_id, saying.channel_id, room, now)
    privileged = may_moderate(room.roles, saying.channel_id, saying.sender_id)
    speaker = room.talk.speakers.get(saying.sender_id) or Speaker()
    require_slow(speaker, MODERATOR_RATE if privileged else RATE, now)
    if saying.reply_parent_id is not None and room.talk.messages.get(saying.reply_parent_id) is None:
        raise Rejected("unknown_message", "the message to answer is not there any more")
    if privileged:
        return None
    _require_modes(saying, room, speaker)
    if speaker.last and now - speaker.last < REPEAT_SPAN and speaker.text == digest(saying.text):
        again = speaker.last + REPEAT_SPAN
        raise wait("msg_duplicate", "this is what you said last; say it again later", again, now)
    return examined(saying, room)


def examined(saying: Saying, room: Room) -> Finding | None:
    """What AutoMod finds. A VIP may send links; all else that it stops binds them too."""
    automod = automod_in_force(room.policy)
    message = Message(
        saying.text,
        saying.sender_id,
        saying.at,
        may_link=saying.sender_id in room.roles.vips,
        emotes=emotes_of(room, saying.sender_id) if automod.block_spam else (),
    )
    return examine(message, automod, Ear(room.policy.blocked, room.talk.echoes, room.lessons))


def _stopped(command: SendMessage, text: str, finding: Finding) -> MessageRefused | MessageHeld:
    facts = {
        **caused_by(command),
        "channel_id": command.channel_id,
        "message_id": derived_id(command.command_id, 0),
        "sender_id": command.actor,
        "sender_login": command.sender_login,
        "text": text,
        "rule": finding.rule,
        "category": finding.category,
        "level": finding.level,
        "score": finding.score,
        "model_version": VERSION,
    }
    if finding.rule in FOR_GOOD:
        return MessageRefused(**facts)
    return MessageHeld(**facts, sender_name=command.sender_name, reply_parent_id=command.reply_parent_id)


def announce(command: Announce, room: Room) -> Sequence[Event]:
    require_moderator(command, room.roles, command.channel_id)
    if command.colour not in COLOURS:
        raise Rejected("bad_colour", f"an announcement's colour is one of {', '.join(COLOURS)}")
    text = _said(command.text)
    require_slow(room.talk.speakers.get(command.actor) or Speaker(), MODERATOR_RATE, command.issued_at)
    return [_spoken(command, text, room, announcement=command.colour)]


def _spoken(
    command: SendMessage | Announce,
    text: str,
    room: Room,
    reply_parent_id: str | None = None,
    announcement: str = "",
) -> MessageSent:
    return MessageSent(
        **caused_by(command),
        channel_id=command.channel_id,
        message_id=derived_id(command.command_id, 0),
        sender_id=command.actor,
        sender_login=command.sender_login,
        sender_name=command.sender_name,
        text=text,
        reply_parent_id=reply_parent_id,
        badges=badges_of(room, command.channel_id, command.actor, command.issued_at),
        emotes=emotes_in(text, emotes_of(room, command.actor)),
        announcement=announcement,
    )


def require_admitted(user_id: str, channel_id: str, room: Room, now: datetime) -> None:
    """Refuse who may not be in the room; and who is banned, timed out, or warned and has not said to have read it."""
    if room.open_to != PUBLIC and not _belongs(user_id, channel_id, room):
        raise Rejected(room.open_to, "this room is not open to you; ask the streamer")
    ban = room.bans.ban_of(user_id, now)
    if ban is not None and ban.until is None:
        raise Rejected("msg_banned", "you are banned from talking in this channel")
    if ban is not None and ban.until is not None:
        raise wait("msg_timedout", "you are timed out in this channel", ban.until, now)
    if user_id in room.bans.warned:
        raise Rejected("msg_warned", "a moderator warned you; acknowledge the warning to go on")


def _belongs(user_id: str, channel_id: str, room: Room) -> bool:
    """Whether the user may watch a channel that is not public, or helps to run it."""
    helps = may_moderate(room.roles, channel_id, user_id) or user_id in room.roles.vips
    return helps or (room.open_to == SUBSCRIBERS and user_id in room.subscribers)


def require_slow(speaker: Speaker, rate: int, now: datetime) -> None:
    """Refuse who did it `rate` times within the span already."""
    if len(speaker.times) < rate:
        return
    recent = [time for time in speaker.times if now - time < RATE_SPAN]
    if len(recent) >= rate:
        raise wait("msg_ratelimit", "you are sending messages too quickly", recent[-rate] + RATE_SPAN, now)


def _said(text: str) -> str:
    text = one_line(text)
    if len(text) > MAX_TEXT:
        raise Rejected("msg_too_long", f"a message has at most {MAX_TEXT} characters")
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise Rejected("msg_empty", "a message says something")
    return text


def _require_modes(saying: Saying, room: Room, speaker: Speaker) -> None:
    """A VIP may speak in every mode. A subscriber is no stranger: follower mode is not for them."""
    user_id, text, now = saying.sender_id, saying.text, saying.at
    if user_id in room.roles.vips:
        return
    modes = modes_in_force(room.policy)
    if modes.subscriber and user_id not in room.subscribers:
        raise Rejected("msg_subsonly", "this room is in subscribers-only mode")
    if modes.follower_min is not None and user_id not in room.subscribers:
        _require_following(saying, room, _span(60 * modes.follower_min))
    if modes.emote and not is_only_emotes(text, emotes_of(room, user_id)):
        raise Rejected("msg_emoteonly", "this room is in emote-only mode")
    if modes.slow_s and speaker.last and now - speaker.last < _span(modes.slow_s):
        again = speaker.last + _span(modes.slow_s)
        raise wait("msg_slowmode", f"this room is in slow mode, {modes.slow_s} s between messages", again, now)
    said = room.talk.texts.get(digest(text)) if modes.unique and len(text) >= UNIQUE_LENGTH else None
    if said is not None and now - said < UNIQUE_SPAN:
        raise Rejected("msg_unique", "this room is in unique-chat mode, and this was said already")


def _require_following(saying: Saying, room: Room, wanted: timedelta) -> None:
    since = room.followers.get(saying.sender_id)
    if since is None:
        raise Rejected("msg_followersonly", "this room is in followers-only mode; follow the channel to speak")
    if saying.at - since < wanted:
        minutes = int(wanted.total_seconds()) // 60
        raise wait(
            "msg_followersonly",
            f"this room is in followers-only mode for those who have followed for {minutes} minutes",
            since + wanted,
            saying.at,
        )


@lru_cache(maxsize=256)
def _span(seconds: int) -> timedelta:
    """Channels set few different ones, and each message asks."""
    return timedelta(seconds=seconds)


def wait(code: str, message: str, until: datetime, now: datetime) -> Rejected:
    """A refusal that says how long it holds."""
    seconds = (until - now).total_seconds()
    return Rejected(code, f"{message}; wait {math.ceil(seconds)} s", math.ceil(seconds * 1000))

"""What a channel says of itself. A channel exists as soon as its user does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from commands.deciders.envelope import caused_by, require_owner
from commands.rejection import Rejected
from schemas.commands.channels import UpdateChannel
from schemas.events.accounts import UserRegistered
from schemas.events.channels import PLAYBACK_POLICIES, PUBLIC, ChannelUpdated
from schemas.message import Command, Event

MAX_TITLE = 140
MAX_CATEGORY = 100
LANGUAGE_PATTERN = re.compile(r"([a-z]{2}|other)?")


@dataclass(frozen=True, slots=True)
class Channel:
    exists: bool = False
    title: str = ""
    category: str = ""
    language: str = ""
    playback_policy: str = PUBLIC


def initial_state() -> Channel:
    return Channel()


def decide(command: Command, channel: Channel) -> Sequence[Event]:
    if not isinstance(command, UpdateChannel):
        raise TypeError(f"{type(command).__name__} is no command on channels")
    require_owner(command, command.channel_id)
    if not channel.exists:
        raise Rejected("unknown_channel", "there is no such channel")
    wanted = replace(
        channel,
        title=channel.title if command.title is None else command.title.strip(),
        category=channel.category if command.category is None else command.category.strip(),
        language=channel.language if command.language is None else command.language,
        playback_policy=channel.playback_policy if command.playback_policy is None else command.playback_policy,
    )
    if len(wanted.title) > MAX_TITLE:
        raise Rejected("title_too_long", f"a title has at most {MAX_TITLE} characters")
    if len(wanted.category) > MAX_CATEGORY:
        raise Rejected("category_too_long", f"a category has at most {MAX_CATEGORY} characters")
    if not LANGUAGE_PATTERN.fullmatch(wanted.language):
        raise Rejected("language_invalid", "a language is two letters of ISO 639-1, other, or empty")
    if wanted.playback_policy not in PLAYBACK_POLICIES:
        raise Rejected("playback_policy_invalid", f"a playback policy is one of {', '.join(PLAYBACK_POLICIES)}")
    if wanted == channel:
        return []
    return [
        ChannelUpdated(
            **caused_by(command),
            channel_id=command.channel_id,
            title=wanted.title,
            category=wanted.category,
            language=wanted.language,
            playback_policy=wanted.playback_policy,
        )
    ]


def evolve(channel: Channel, event: Event) -> Channel:
    match event:
        case UserRegistered():
            return replace(channel, exists=True)
        case ChannelUpdated():
            return replace(
                channel,
                title=event.title,
                category=event.category,
                language=event.language,
                playback_policy=event.playback_policy,
            )
    return channel

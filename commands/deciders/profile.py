"""What a channel says of itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from commands.deciders.envelope import caused_by
from commands.rejection import Rejected
from schemas.commands.channels import UpdateChannel
from schemas.events.channels import PLAYBACK_POLICIES, PUBLIC, ChannelUpdated
from schemas.message import Event

MAX_TITLE = 140
MAX_CATEGORY = 100
LANGUAGE_PATTERN = re.compile(r"([a-z]{2}|other)?")


@dataclass(frozen=True, slots=True)
class Profile:
    title: str = ""
    category: str = ""
    language: str = ""
    playback_policy: str = PUBLIC


def decide(command: UpdateChannel, profile: Profile) -> Sequence[Event]:
    wanted = Profile(
        title=profile.title if command.title is None else command.title.strip(),
        category=profile.category if command.category is None else command.category.strip(),
        language=profile.language if command.language is None else command.language,
        playback_policy=profile.playback_policy if command.playback_policy is None else command.playback_policy,
    )
    if len(wanted.title) > MAX_TITLE:
        raise Rejected("title_too_long", f"a title has at most {MAX_TITLE} characters")
    if len(wanted.category) > MAX_CATEGORY:
        raise Rejected("category_too_long", f"a category has at most {MAX_CATEGORY} characters")
    if not LANGUAGE_PATTERN.fullmatch(wanted.language):
        raise Rejected("language_invalid", "a language is two letters of ISO 639-1, other, or empty")
    if wanted.playback_policy not in PLAYBACK_POLICIES:
        raise Rejected("playback_policy_invalid", f"a playback policy is one of {', '.join(PLAYBACK_POLICIES)}")
    if wanted == profile:
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


def evolve(profile: Profile, event: Event) -> Profile:
    if isinstance(event, ChannelUpdated):
        return Profile(event.title, event.category, event.language, event.playback_policy)
    return profile

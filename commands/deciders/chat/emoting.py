"""Emotes and badges: what a message is shown with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from commands.deciders.chat.room import Room
from schemas.emotes import GLOBAL_EMOTES

_WORD = re.compile(r"\S+")


def emotes_of(room: Room, user_id: str) -> Mapping[str, str]:
    """What the user may say here: name to emote id."""
    if not room.emotes:
        return GLOBAL_EMOTES
    subscription = room.subscribers.get(user_id)
    tier = subscription.tier if subscription else ""
    own = {emote.name: emote_id for emote_id, emote in room.emotes.items() if emote.tier <= tier}
    return {**GLOBAL_EMOTES, **own}


def emotes_in(text: str, emotes: Mapping[str, str]) -> str:
    """Where they stand, in the form of IRC's tag: `id:first-last,first-last/id:…`, in characters, in order."""
    places: dict[str, list[str]] = {}
    for word in _WORD.finditer(text):
        emote_id = emotes.get(word[0])
        if emote_id is not None:
            places.setdefault(emote_id, []).append(f"{word.start()}-{word.end() - 1}")
    return "/".join(f"{emote_id}:{','.join(spans)}" for emote_id, spans in places.items())


def is_only_emotes(text: str, emotes: Mapping[str, str]) -> bool:
    return all(word[0] in emotes for word in _WORD.finditer(text))


def badges_of(room: Room, channel_id: str, user_id: str, now: datetime) -> list[str]:
    """The most telling first."""
    return list(_badges(room, channel_id, user_id, now))


def _badges(room: Room, channel_id: str, user_id: str, now: datetime) -> Iterator[str]:
    if user_id == channel_id:
        yield "broadcaster/1"
    elif user_id in room.roles.moderators:
        yield "moderator/1"
    elif user_id in room.roles.vips:
        yield "vip/1"
    subscription = room.subscribers.get(user_id)
    if subscription is not None:
        yield f"subscriber/{subscription.months(now)}"

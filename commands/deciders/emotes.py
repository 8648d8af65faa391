"""A channel's own emotes: names that one may say there. The pictures are the edge's business."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rpds import HashTrieMap

from commands.deciders.envelope import caused_by
from commands.rejection import Rejected
from schemas.commands.emotes import AddEmote, EmoteCommand
from schemas.events.emotes import EmoteAdded, EmoteRemoved
from schemas.message import Event

MAX_EMOTES = 200
MAX_IMAGES = 512 * 1024
TIERS = ("", "1000", "2000", "3000")
NAME_PATTERN = re.compile(r"[A-Za-z0-9]{3,40}")


@dataclass(frozen=True, slots=True)
class Emote:
    name: str
    tier: str


Emotes: TypeAlias = "HashTrieMap[str, Emote]"
"""By emote id."""


def decide(command: EmoteCommand, emotes: Emotes) -> Sequence[Event]:
    """The owner does it: the channel has seen to that."""
    if isinstance(command, AddEmote):
        return _add(command, emotes)
    if command.emote_id not in emotes:
        raise Rejected("unknown_emote", "the channel has no such emote")
    return [EmoteRemoved(**caused_by(command), channel_id=command.channel_id, emote_id=command.emote_id)]


def evolve(emotes: Emotes, event: Event) -> Emotes:
    match event:
        case EmoteAdded():
            return emotes.insert(event.emote_id, Emote(event.name, event.tier))
        case EmoteRemoved():
            return emotes.discard(event.emote_id)
    return emotes


def _add(command: AddEmote, emotes: Emotes) -> Sequence[Event]:
    if not NAME_PATTERN.fullmatch(command.name):
        raise Rejected("bad_emote_name", "an emote's name is 3 to 40 letters and digits")
    if command.tier not in TIERS:
        raise Rejected("bad_tier", "a tier is 1000, 2000 or 3000, or empty for everybody")
    if any(emote.name == command.name for emote in emotes.values()):
        raise Rejected("emote_name_taken", "the channel has an emote of this name already")
    if len(emotes) >= MAX_EMOTES:
        raise Rejected("too_many_emotes", f"a channel has at most {MAX_EMOTES} emotes; remove one first")
    if len(command.image_1x) + len(command.image_2x) + len(command.image_3x) > MAX_IMAGES:
        raise Rejected("emote_too_large", f"an emote's pictures have at most {MAX_IMAGES} bytes together")
    return [
        EmoteAdded(
            **caused_by(command),
            channel_id=command.channel_id,
            emote_id=command.emote_id,
            name=command.name,
            tier=command.tier,
            animated=command.animated,
            media_type=command.media_type,
            image_1x=command.image_1x,
            image_2x=command.image_2x,
            image_3x=command.image_3x,
        )
    ]

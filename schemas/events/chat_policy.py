"""How a channel's chat is run. Key: channel id."""

from __future__ import annotations

from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.message import Event, personal

AUTOMOD_CATEGORIES = (
    "aggression",
    "bullying",
    "disability",
    "misogyny",
    "race_ethnicity_or_religion",
    "sex_based_terms",
    "sexuality_sex_or_gender",
    "swearing",
)
"""What AutoMod tells apart, by Helix's names. Each has a level from 0, off, to 4, the strictest."""

SHIELD_FOLLOWER_MIN = 10
"""While the shield is up, who speaks must have followed for at least so many minutes."""


class PolicyEvent(Event):
    topic: ClassVar[str] = "channels"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str


class ChatSettingsUpdated(PolicyEvent):
    """The chat's modes were set; every field is the full new value."""

    slow_mode_s: types.Int32 = Field(default=0, description="Seconds between two messages of a user; 0 is off.")
    follower_mode_min: types.Int32 | None = Field(
        default=None, description="Minutes of following before one may speak; None is off, 0 asks for any follower."
    )
    subscriber_mode: bool = False
    emote_mode: bool = False
    unique_chat_mode: bool = False


class ShieldModeChanged(PolicyEvent):
    """The strict policy for a raid of strangers was turned on or off."""

    active: bool


class AutoModSettingsUpdated(PolicyEvent):
    """What AutoMod holds was set; every field is the full new value."""

    levels: dict[str, types.Int32] = Field(default_factory=dict, description="Category to level 0-4; absent is 0.")
    toxicity_level: types.Int32 = Field(default=0, description="Level 0-4 of what the model finds.")
    block_links: bool = False
    block_spam: bool = False


class BlockedTermAdded(PolicyEvent):
    """Messages that hold the term are refused. `*` stands for any letters."""

    term_id: str
    text: str = Field(json_schema_extra=personal("channel_id"))


class BlockedTermRemoved(PolicyEvent):
    """The term may be said again."""

    term_id: str

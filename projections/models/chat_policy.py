"""How a channel's chat is run, and its emotes: a part of the channels model.

A channel without a row has the defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from projections.contract import Fields
from projections.tables import REPLACE, Change, Subject, Table
from schemas.events.chat_policy import AUTOMOD_CATEGORIES

SETTINGS = Table(
    "chat_settings",
    {
        "channel_id": "text",
        "slow_mode_s": "int",
        "follower_mode_min": "int",
        "subscriber_mode": "boolean",
        "emote_mode": "boolean",
        "unique_chat_mode": "boolean",
    },
)

AUTOMOD = Table(
    "automod_settings",
    {
        "channel_id": "text",
        **dict.fromkeys(AUTOMOD_CATEGORIES, "int"),
        "toxicity_level": "int",
        "block_links": "boolean",
        "block_spam": "boolean",
    },
)
"""A level, 0 to 4, for each category."""

SHIELDS = Table(
    "shield_modes",
    {"channel_id": "text", "active": "boolean", "moderator_id": "text", "last_activated_at": "timestamptz"},
)
"""Who raised the shield last."""

TERMS = Table(
    "blocked_terms",
    {
        "channel_id": "text",
        "term_id": "text",
        "moderator_id": "text",
        "text": "text",
        "created_at": "timestamptz",
    },
    key_width=2,
    personal={"text": Subject("channel_id")},
    indexes=("(channel_id, created_at DESC, term_id)",),
)

EMOTES = Table(
    "emotes",
    {
        "emote_id": "text",
        "channel_id": "text",
        "name": "text",
        "tier": "text",
        "animated": "boolean",
        "media_type": "text",
        "image_1x": "bytea",
        "image_2x": "bytea",
        "image_3x": "bytea",
        "added_at": "timestamptz",
        "removed_at": "timestamptz",
    },
    indexes=("(channel_id, name) WHERE removed_at IS NULL",),
)
"""A removed emote is shown where it was said before."""

_SETTINGS = tuple(name for name in SETTINGS.columns if name != "channel_id")
_ADDED = frozenset(EMOTES.columns) - {"emote_id", "removed_at"}


def _chat_settings_updated(e: Fields) -> Change:
    return Change(SETTINGS, (e["channel_id"], *(e[name] for name in _SETTINGS)), REPLACE)


def _automod_settings_updated(e: Fields) -> Change:
    levels = (e["levels"].get(category, 0) for category in AUTOMOD_CATEGORIES)
    row = (e["channel_id"], *levels, e["toxicity_level"], e["block_links"], e["block_spam"])
    return Change(AUTOMOD, row, REPLACE)


def _shield_mode_changed(e: Fields) -> Change:
    if not e["active"]:
        return Change(SHIELDS, (e["channel_id"], False, None, None), frozenset({"active"}))
    return Change(SHIELDS, (e["channel_id"], True, e["actor"], e["occurred_at"]), REPLACE)


def _blocked_term_added(e: Fields) -> Change:
    return Change(TERMS, (e["channel_id"], e["term_id"], e["actor"], e["text"], e["occurred_at"]), REPLACE)


def _blocked_term_removed(e: Fields) -> Change:
    return TERMS.delete(e["channel_id"], e["term_id"])


def _emote_added(e: Fields) -> Change:
    return EMOTES.row(_ADDED, **{**e, "added_at": e["occurred_at"]})


def _emote_removed(e: Fields) -> Change:
    ids = {"emote_id": e["emote_id"], "channel_id": e["channel_id"]}
    return EMOTES.row(frozenset({"removed_at"}), **ids, removed_at=e["occurred_at"])


TABLES = (SETTINGS, AUTOMOD, SHIELDS, TERMS, EMOTES)

ON: Mapping[str, Callable[[Fields], Change]] = {
    "ChatSettingsUpdated": _chat_settings_updated,
    "AutoModSettingsUpdated": _automod_settings_updated,
    "ShieldModeChanged": _shield_mode_changed,
    "BlockedTermAdded": _blocked_term_added,
    "BlockedTermRemoved": _blocked_term_removed,
    "EmoteAdded": _emote_added,
    "EmoteRemoved": _emote_removed,
}

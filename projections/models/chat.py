"""What was said, and what was done about it. Every row is one event, so a repeated append changes nothing.

Whether a message counts, readers decide: by the actions on it, and by those that were undone since, on another topic.
"""

from __future__ import annotations

from operator import itemgetter

from projections.contract import Fields
from projections.models.actions import action, actions_table
from projections.tables import INSERT, Change, Model, Subject, Table

_SAID = dict.fromkeys(("sender_login", "sender_name", "text"), Subject("sender_id"))

MESSAGES = Table(
    "chat_messages",
    {
        "message_id": "text",
        "channel_id": "text",
        "sender_id": "text",
        "sender_login": "text",
        "sender_name": "text",
        "text": "text",
        "reply_parent_id": "text",
        "emotes": "text",
        "announcement": "text",
        "sent_at": "timestamptz",
        "badges": "text",
    },
    personal=_SAID,
    append_only=True,
    indexes=(
        "(channel_id, sent_at DESC, message_id DESC)",
        "(channel_id, sender_id, sent_at DESC, message_id DESC)",
    ),
)

FINDINGS = Table(
    "automod_findings",
    {
        "message_id": "text",
        "channel_id": "text",
        "sender_id": "text",
        "sender_login": "text",
        "sender_name": "text",
        "text": "text",
        "reply_parent_id": "text",
        "rule": "text",
        "category": "text",
        "level": "int",
        "score": "float8",
        "model_version": "text",
        "held": "boolean",
        "found_at": "timestamptz",
    },
    personal=_SAID,
    append_only=True,
    indexes=("(channel_id, found_at DESC, message_id DESC)",),
)
"""What AutoMod stopped: held for a moderator, or refused for good."""

ACTIONS = actions_table(
    "chat_actions",
    "(subject_id)",
    "(channel_id, acted_at) WHERE action = 'clear'",
)
"""On what was said: from the topic `chat`. The subject is the message."""

REACTIONS = Table(
    "chat_reactions",
    {
        "event_id": "text",
        "channel_id": "text",
        "message_id": "text",
        "emote": "text",
        "reactor_id": "text",
        "reacted_at": "timestamptz",
    },
    append_only=True,
    indexes=("(message_id, emote) WHERE message_id IS NOT NULL", "(channel_id, reacted_at DESC)"),
)
"""One row a reaction; they are counted when they are read."""

RAIDS = Table(
    "raids",
    {
        "event_id": "text",
        "channel_id": "text",
        "from_id": "text",
        "from_login": "text",
        "viewers": "int",
        "raided_at": "timestamptz",
    },
    personal={"from_login": Subject("from_id")},
    append_only=True,
    indexes=("(channel_id, raided_at DESC)",),
)

_message = itemgetter(
    "message_id",
    "channel_id",
    "sender_id",
    "sender_login",
    "sender_name",
    "text",
    "reply_parent_id",
    "emotes",
    "announcement",
    "occurred_at",
)
_finding = itemgetter("rule", "category", "level", "score", "model_version")
_sender = itemgetter("message_id", "channel_id", "sender_id", "sender_login")
_reaction = itemgetter("event_id", "channel_id", "message_id", "emote", "reactor_id", "occurred_at")
_raid = itemgetter("event_id", "channel_id", "from_id", "from_login", "viewers", "occurred_at")


def _message_sent(e: Fields) -> Change:
    # One text with spaces: a list in a row would have the collector look at every row again and again.
    return Change(MESSAGES, (*_message(e), " ".join(e["badges"])), INSERT)


def _message_held(e: Fields) -> Change:
    said = (*_sender(e), e["sender_name"], e["text"], e["reply_parent_id"])
    return Change(FINDINGS, (*said, *_finding(e), True, e["occurred_at"]), INSERT)


def _message_refused(e: Fields) -> Change:
    return Change(FINDINGS, (*_sender(e), "", e["text"], None, *_finding(e), False, e["occurred_at"]), INSERT)


def _held_message_resolved(e: Fields) -> Change:
    return _on_message(e, "automod_allow" if e["allowed"] else "automod_deny")


def _message_deleted(e: Fields) -> Change:
    return _on_message(e, "delete")


def _on_message(e: Fields, name: str) -> Change:
    return action(ACTIONS, e, name, target_id=e["sender_id"], subject_id=e["message_id"])


def _chat_cleared(e: Fields) -> Change:
    return action(ACTIONS, e, "clear")


def _reacted(e: Fields) -> Change:
    return Change(REACTIONS, _reaction(e), INSERT)


def _raid_received(e: Fields) -> Change:
    return Change(RAIDS, _raid(e), INSERT)


MODEL = Model(
    name="chat",
    topic="chat",
    tables=(MESSAGES, FINDINGS, ACTIONS, REACTIONS, RAIDS),
    on={
        "MessageSent": _message_sent,
        "MessageHeld": _message_held,
        "MessageRefused": _message_refused,
        "HeldMessageResolved": _held_message_resolved,
        "MessageDeleted": _message_deleted,
        "ChatCleared": _chat_cleared,
        "Reacted": _reacted,
        "RaidReceived": _raid_received,
    },
    revision=2,
)

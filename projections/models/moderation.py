"""Who helps to run a channel, who may not speak there, and what the banned ask: a part of the channels model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from projections.contract import Fields
from projections.tables import INSERT, REPLACE, Change, Subject, Table

ROLES = Table(
    "channel_roles",
    {"channel_id": "text", "role": "text", "user_id": "text", "since": "timestamptz"},
    key_width=3,
    indexes=("(user_id)",),
)
"""`role` is moderator or vip."""

BANS = Table(
    "bans",
    {
        "channel_id": "text",
        "user_id": "text",
        "moderator_id": "text",
        "reason": "text",
        "created_at": "timestamptz",
        "expires_at": "timestamptz",
    },
    key_width=2,
    personal={"reason": Subject("user_id")},
    indexes=("(channel_id, created_at DESC, user_id)",),
)
"""The last ban of a user that nobody lifted; whether it still holds, readers see by its end. Those before lie in the
audit log.
"""

WARNINGS = Table(
    "warnings",
    {
        "channel_id": "text",
        "user_id": "text",
        "moderator_id": "text",
        "reason": "text",
        "warned_at": "timestamptz",
        "acknowledged_at": "timestamptz",
    },
    key_width=2,
    personal={"reason": Subject("user_id")},
)
"""The last warning of a user."""

UNBAN_REQUESTS = Table(
    "unban_requests",
    {
        "request_id": "text",
        "channel_id": "text",
        "user_id": "text",
        "text": "text",
        "created_at": "timestamptz",
        "moderator_id": "text",
        "approved": "boolean",
        "resolved_at": "timestamptz",
        "resolution_text": "text",
    },
    personal=dict.fromkeys(("text", "resolution_text"), Subject("user_id")),
    computed={"status": "CASE WHEN approved THEN 'approved' WHEN approved IS NULL THEN 'pending' ELSE 'denied' END"},
    indexes=("(channel_id, created_at DESC, request_id)",),
)

UNDONE = Table(
    "moderation_undone",
    {
        "event_id": "text",
        "channel_id": "text",
        "moderator_id": "text",
        "since": "timestamptz",
        "until": "timestamptz",
        "undone_at": "timestamptz",
    },
    append_only=True,
    indexes=("(channel_id, moderator_id)",),
)
"""Spans whose deletions do not count: readers leave them out."""

_REQUESTED = frozenset({"channel_id", "user_id", "text", "created_at"})
_RESOLVED = frozenset({"channel_id", "user_id", "moderator_id", "approved", "resolved_at", "resolution_text"})


def _given(role: str) -> Callable[[Fields], Change]:
    return lambda e: Change(ROLES, (e["channel_id"], role, e["target_id"], e["occurred_at"]), REPLACE)


def _taken(role: str) -> Callable[[Fields], Change]:
    return lambda e: ROLES.delete(e["channel_id"], role, e["target_id"])


def _user_banned(e: Fields) -> Change:
    row = (e["channel_id"], e["target_id"], e["actor"], e["reason"], e["occurred_at"], e["expires_at"])
    return Change(BANS, row, REPLACE)


def _user_unbanned(e: Fields) -> Change:
    return BANS.delete(e["channel_id"], e["target_id"])


def _user_warned(e: Fields) -> Change:
    row = (e["channel_id"], e["target_id"], e["actor"], e["reason"], e["occurred_at"], None)
    return Change(WARNINGS, row, REPLACE)


def _warning_acknowledged(e: Fields) -> Change:
    row = (e["channel_id"], e["target_id"], None, None, None, e["occurred_at"])
    return Change(WARNINGS, row, frozenset({"acknowledged_at"}))


def _unban_requested(e: Fields) -> Change:
    return UNBAN_REQUESTS.row(
        _REQUESTED,
        request_id=e["request_id"],
        channel_id=e["channel_id"],
        user_id=e["target_id"],
        text=e["text"],
        created_at=e["occurred_at"],
    )


def _unban_request_resolved(e: Fields) -> Change:
    return UNBAN_REQUESTS.row(
        _RESOLVED,
        request_id=e["request_id"],
        channel_id=e["channel_id"],
        user_id=e["target_id"],
        moderator_id=e["actor"],
        approved=e["approved"],
        resolved_at=e["occurred_at"],
        resolution_text=e["text"],
    )


def _moderation_undone(e: Fields) -> Change:
    row = (e["event_id"], e["channel_id"], e["target_id"], e["since"], e["until"], e["occurred_at"])
    return Change(UNDONE, row, INSERT)


TABLES = (ROLES, BANS, WARNINGS, UNBAN_REQUESTS, UNDONE)

ON: Mapping[str, Callable[[Fields], Change]] = {
    "ModeratorAdded": _given("moderator"),
    "ModeratorRemoved": _taken("moderator"),
    "VipAdded": _given("vip"),
    "VipRemoved": _taken("vip"),
    "UserBanned": _user_banned,
    "UserUnbanned": _user_unbanned,
    "UserWarned": _user_warned,
    "WarningAcknowledged": _warning_acknowledged,
    "UnbanRequested": _unban_requested,
    "UnbanRequestResolved": _unban_request_resolved,
    "ModerationUndone": _moderation_undone,
}

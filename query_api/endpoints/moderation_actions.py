"""The audit log: what moderators did, to whom and why; and taking back what one of them did."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from asyncpg import Record
from pydantic import BaseModel, Field

from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.fields import Line, Moment, UserId
from query_api.moderating import carry_out, require_moderator
from query_api.pages import Page, PageQuery, by_time, paged
from schemas.commands.moderation import UndoModeration

ACTIONS = "/helix/moderation/actions"
UNDO = "/helix/moderation/undo"

_SQL = """
SELECT a.event_id, a.channel_id, a.action, a.moderator_id, m.login AS moderator_login,
       m.display_name AS moderator_name, a.target_id, t.login AS user_login, t.display_name AS user_name,
       a.subject_id, a.reason, a.detail, a.expires_at, a.acted_at, undone.undone_at
FROM (
    (SELECT * FROM channel_actions
     WHERE channel_id = $1 AND ($2::text IS NULL OR moderator_id = $2) AND ($3::text IS NULL OR target_id = $3)
       AND (cardinality($4::text[]) = 0 OR action = ANY($4))
       AND ($5::timestamptz IS NULL OR acted_at >= $5) AND ($6::timestamptz IS NULL OR acted_at < $6)
       AND ($7::text IS NULL OR to_tsvector('simple', reason) @@ plainto_tsquery('simple', $7))
       AND ($8::timestamptz IS NULL OR (acted_at, event_id) < ($8, $9))
     ORDER BY acted_at DESC, event_id DESC LIMIT $10)
    UNION ALL
    (SELECT * FROM chat_actions
     WHERE channel_id = $1 AND ($2::text IS NULL OR moderator_id = $2) AND ($3::text IS NULL OR target_id = $3)
       AND (cardinality($4::text[]) = 0 OR action = ANY($4))
       AND ($5::timestamptz IS NULL OR acted_at >= $5) AND ($6::timestamptz IS NULL OR acted_at < $6)
       AND ($7::text IS NULL OR to_tsvector('simple', reason) @@ plainto_tsquery('simple', $7))
       AND ($8::timestamptz IS NULL OR (acted_at, event_id) < ($8, $9))
       AND moderator_id <> target_id  -- what users took back of their own
     ORDER BY acted_at DESC, event_id DESC LIMIT $10)
) a
LEFT JOIN users m ON m.user_id = a.moderator_id
LEFT JOIN users t ON t.user_id = a.target_id
LEFT JOIN LATERAL (
    SELECT min(u.undone_at) AS undone_at FROM moderation_undone u
    WHERE u.channel_id = a.channel_id AND u.moderator_id = a.moderator_id
      AND a.action IN ('ban', 'timeout', 'add_blocked_term', 'delete', 'clear')
      AND a.acted_at BETWEEN u.since AND u.until AND a.acted_at <= u.undone_at
) undone ON true
ORDER BY a.acted_at DESC, a.event_id DESC LIMIT $10
"""

ActionName = Literal[
    "ban",
    "timeout",
    "unban",
    "warn",
    "mod",
    "unmod",
    "vip",
    "unvip",
    "approve_unban_request",
    "deny_unban_request",
    "add_blocked_term",
    "remove_blocked_term",
    "chat_settings",
    "automod_settings",
    "shield_mode_on",
    "shield_mode_off",
    "delete",
    "clear",
    "automod_allow",
    "automod_deny",
    "undo",
]


class ActionsQuery(PageQuery):
    """Which actions. What is left out does not narrow."""

    broadcaster_id: UserId
    moderator_id: UserId | None = Field(default=None, description="Who did it.")
    user_id: UserId | None = Field(default=None, description="To whom.")
    action: list[ActionName] = Field(default=[], max_length=21)
    started_at: Moment | None = Field(default=None, description="Not before this.")
    ended_at: Moment | None = Field(default=None, description="Before this.")
    reason: Annotated[Line, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="Words that the reason has, all of them."
    )


class Action(BaseModel):
    """Who did what to whom, and why."""

    id: str
    broadcaster_id: str
    action: ActionName
    moderator_id: str
    moderator_login: str
    moderator_name: str
    user_id: str = Field(description="To whom; empty where it concerns nobody.")
    user_login: str
    user_name: str
    subject_id: str = Field(description="Of the message, the term or the request that it was about; else empty.")
    reason: str
    detail: str = Field(description="What was set or blocked, or the span that was undone.")
    expires_at: datetime | None = Field(description="Of a timeout.")
    acted_at: datetime
    undone_at: datetime | None = Field(description="When a later undo covered it.")


class UndoWish(Body):
    """Whose actions in which time."""

    broadcaster_id: UserId
    user_id: UserId = Field(description="The moderator whose actions are undone.")
    started_at: Moment
    ended_at: Moment


async def list_moderation_actions(call: Call[ActionsQuery, Nothing]) -> Answer:
    query = call.query
    await require_moderator(call, query.broadcaster_id)
    after = query.place(by_time)
    rows = await call.services.database.rows(
        _SQL,
        query.broadcaster_id,
        query.moderator_id,
        query.user_id,
        query.action,
        query.started_at,
        query.ended_at,
        query.reason,
        *after,
        query.first + 1,
    )
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["acted_at"], row["event_id"]))
    return Answer(Page[Action](data=[_action(row) for row in page], pagination=pagination))


async def undo_moderation(call: Call[Nothing, UndoWish]) -> Answer:
    wish = call.body
    return await carry_out(
        call,
        f"POST {UNDO} {wish.user_id}",
        UndoModeration,
        channel_id=wish.broadcaster_id,
        target_id=wish.user_id,
        since=wish.started_at,
        until=wish.ended_at,
    )


def _action(row: Record) -> Action:
    names = ("moderator_login", "moderator_name", "user_login", "user_name")
    return Action(
        id=row["event_id"],
        broadcaster_id=row["channel_id"],
        action=row["action"],
        moderator_id=row["moderator_id"],
        user_id=row["target_id"],
        subject_id=row["subject_id"],
        reason=row["reason"],
        detail=row["detail"],
        expires_at=row["expires_at"],
        acted_at=row["acted_at"],
        undone_at=row["undone_at"],
        **{name: row[name] or "" for name in names},
    )


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=ACTIONS,
        tag="Moderation",
        summary="Search the audit log",
        description="What was done, newest first. For the owner and moderators. Not in Helix.",
        handler=list_moderation_actions,
        query=ActionsQuery,
        body=Nothing,
        answer=Page[Action],
        scope="moderation:read",
    ),
    Endpoint(
        method="POST",
        path=UNDO,
        tag="Moderation",
        summary="Undo what a moderator did",
        description="For the owner. Bans and timeouts of the time that hold are lifted, blocked terms removed, and "
        "deleted messages are shown again. Who was banned again by another stays banned. Not in Helix.",
        handler=undo_moderation,
        query=Nothing,
        body=UndoWish,
        status=204,
        scope="channel:manage:moderators",
        mutates=True,
        rejections=(404, 409),
    ),
)

"""Bans and timeouts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from asyncpg import Record
from pydantic import BaseModel, Field

from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.fields import Line, UserId
from query_api.moderating import ModeratorQuery, actor, carry_out, require_moderator, submit
from query_api.pages import Listing, Page, PageQuery, by_time, paged
from schemas.commands.moderation import BanUser, UnbanUser

PATH = "/helix/moderation/bans"
SCOPE = "moderator:manage:banned_users"

Reason = Annotated[Line, Field(max_length=500)]

_LOGIN = "SELECT login FROM users WHERE user_id = $1"

_SQL = """
SELECT b.user_id, coalesce(u.login, '') AS user_login, coalesce(u.display_name, '') AS user_name,
       b.expires_at, b.created_at, b.reason, b.moderator_id,
       coalesce(m.login, '') AS moderator_login, coalesce(m.display_name, '') AS moderator_name
FROM bans b LEFT JOIN users u ON u.user_id = b.user_id LEFT JOIN users m ON m.user_id = b.moderator_id
WHERE b.channel_id = $1 AND (b.expires_at IS NULL OR b.expires_at > now())
  AND (cardinality($2::text[]) = 0 OR b.user_id = ANY($2))
  AND ($3::timestamptz IS NULL OR (b.created_at, b.user_id) < ($3, $4))
ORDER BY b.created_at DESC, b.user_id DESC LIMIT $5
"""


class BanWish(Body):
    """Whom, for how long, and why."""

    user_id: UserId
    duration: int | None = Field(default=None, ge=1, le=1_209_600, description="Seconds; left out, it is for good.")
    reason: Reason = ""


class NewBan(Body):
    """In Helix's envelope."""

    data: BanWish


class MadeBan(BaseModel):
    """Helix's fields."""

    broadcaster_id: str
    moderator_id: str
    user_id: str
    created_at: datetime
    end_time: datetime | None = Field(description="Null is for good.")


class UnbanQuery(ModeratorQuery):
    """Whose ban ends."""

    user_id: UserId


class BannedQuery(PageQuery):
    """Whose banned users, and whether these are among them."""

    broadcaster_id: UserId
    user_id: list[UserId] = Field(default=[], max_length=100)


class BannedUser(BaseModel):
    """Helix's fields."""

    user_id: str
    user_login: str
    user_name: str
    expires_at: str = Field(description="RFC 3339; empty is for good.")
    created_at: datetime
    reason: str
    moderator_id: str
    moderator_login: str
    moderator_name: str


async def ban_user(call: Call[ModeratorQuery, NewBan]) -> Answer:
    channel_id, moderator, wish = call.query.broadcaster_id, actor(call), call.body.data
    target = await call.services.database.row(_LOGIN, wish.user_id)
    accepted = await submit(
        call,
        f"POST {PATH}",
        BanUser,
        channel_id=channel_id,
        target_id=wish.user_id,
        target_login=target["login"] if target else "",
        duration_s=wish.duration,
        reason=wish.reason,
    )
    created_at = datetime.fromisoformat(accepted.reply["created_at"])
    made = MadeBan(
        broadcaster_id=channel_id,
        moderator_id=moderator.user_id,
        user_id=wish.user_id,
        created_at=created_at,
        end_time=created_at + timedelta(seconds=wish.duration) if wish.duration else None,
    )
    return Answer(Listing[MadeBan](data=[made]), accepted.token)


async def unban_user(call: Call[UnbanQuery, Nothing]) -> Answer:
    actor(call)
    channel_id, target_id = call.query.broadcaster_id, call.query.user_id
    return await carry_out(call, f"DELETE {PATH} {target_id}", UnbanUser, channel_id=channel_id, target_id=target_id)


async def list_banned(call: Call[BannedQuery, Nothing]) -> Answer:
    query = call.query
    await require_moderator(call, query.broadcaster_id)
    after = query.place(by_time)
    rows = await call.services.database.rows(_SQL, query.broadcaster_id, query.user_id, *after, query.first + 1)
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["created_at"], row["user_id"]))
    return Answer(Page[BannedUser](data=[_banned(row) for row in page], pagination=pagination))


def _banned(row: Record) -> BannedUser:
    expires_at = row["expires_at"]
    return BannedUser(**{**row, "expires_at": expires_at.isoformat() if expires_at else ""})


ENDPOINTS = (
    Endpoint(
        method="POST",
        path=PATH,
        tag="Moderation",
        summary="Ban or time out a user",
        description="A timeout is replaced by another or by a ban. A moderator whom the owner bans is none any more.",
        handler=ban_user,
        query=ModeratorQuery,
        body=NewBan,
        answer=Listing[MadeBan],
        scope=SCOPE,
        mutates=True,
        rejections=(404,),
    ),
    Endpoint(
        method="DELETE",
        path=PATH,
        tag="Moderation",
        summary="Unban a user",
        handler=unban_user,
        query=UnbanQuery,
        body=Nothing,
        status=204,
        scope=SCOPE,
        mutates=True,
        rejections=(404,),
    ),
    Endpoint(
        method="GET",
        path="/helix/moderation/banned",
        tag="Moderation",
        summary="Get a channel's banned users",
        description="Bans and timeouts that hold now, newest first. For the owner and moderators.",
        handler=list_banned,
        query=BannedQuery,
        body=Nothing,
        answer=Page[BannedUser],
        scope="moderation:read",
        or_scopes=(SCOPE,),
    ),
)

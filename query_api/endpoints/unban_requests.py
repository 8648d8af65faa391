"""What the banned ask, and what moderators answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from asyncpg import Record
from pydantic import BaseModel, Field

from commands.identity import new_id
from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.fields import Line, MessageId, UserId
from query_api.moderating import ModeratorQuery, actor, reader, settle, submit
from query_api.pages import Listing, Page, PageQuery, by_time, paged
from schemas.commands.moderation import RequestUnban, ResolveUnbanRequest

PATH = "/helix/moderation/unban_requests"
SCOPE = "moderator:manage:unban_requests"

_SQL = """
SELECT r.request_id, r.channel_id, b.login AS broadcaster_login, b.display_name AS broadcaster_name,
       r.moderator_id, m.login AS moderator_login, m.display_name AS moderator_name,
       r.user_id, u.login AS user_login, u.display_name AS user_name,
       r.text, r.status, r.created_at, r.resolved_at, r.resolution_text
FROM unban_requests r
LEFT JOIN users b ON b.user_id = r.channel_id
LEFT JOIN users m ON m.user_id = r.moderator_id
LEFT JOIN users u ON u.user_id = r.user_id
WHERE r.channel_id = $1 AND ($2::text IS NULL OR r.status = $2) AND ($3::text IS NULL OR r.user_id = $3)
  AND ($4::text IS NULL OR r.request_id = $4)
  AND ($5::timestamptz IS NULL OR (r.created_at, r.request_id) < ($5, $6))
ORDER BY r.created_at DESC, r.request_id DESC LIMIT $7
"""

Status = Literal["pending", "approved", "denied", "acknowledged", "canceled"]
Text = Annotated[Line, Field(max_length=500)]


class UnbanRequestsQuery(ModeratorQuery, PageQuery):
    """Whose requests. Here none is ever acknowledged or cancelled."""

    status: Status | None = Field(default=None, description="Any when left out.")
    user_id: UserId | None = Field(default=None, description="Only who asked.")


class UnbanRequest(BaseModel):
    """Helix's fields."""

    id: str
    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str
    moderator_id: str | None
    moderator_login: str | None
    moderator_name: str | None
    user_id: str
    user_login: str
    user_name: str
    text: str
    status: Status
    created_at: datetime
    resolved_at: datetime | None
    resolution_text: str | None


class NewUnbanRequest(Body):
    """Where one wants to be let in again, and why."""

    broadcaster_id: UserId
    text: Annotated[Line, Field(min_length=1, max_length=500)]


class MadeUnbanRequest(BaseModel):
    """A request that waits for an answer."""

    id: str
    created_at: datetime


class UnbanDecision(ModeratorQuery):
    """Which request, and the answer."""

    unban_request_id: MessageId
    status: Literal["approved", "denied"]
    resolution_text: Text = ""


async def list_unban_requests(call: Call[UnbanRequestsQuery, Nothing]) -> Answer:
    query = call.query
    await reader(call)
    after = query.place(by_time)
    rows = await call.services.database.rows(
        _SQL, query.broadcaster_id, query.status, query.user_id, None, *after, query.first + 1
    )
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["created_at"], row["request_id"]))
    return Answer(Page[UnbanRequest](data=[_request(row) for row in page], pagination=pagination))


async def request_unban(call: Call[Nothing, NewUnbanRequest]) -> Answer:
    wish = call.body
    accepted = await submit(
        call, f"POST {PATH}", RequestUnban, channel_id=wish.broadcaster_id, request_id=new_id(), text=wish.text
    )
    made = MadeUnbanRequest(id=accepted.reply["request_id"], created_at=accepted.reply["created_at"])
    return Answer(Listing[MadeUnbanRequest](data=[made]), accepted.token)


async def resolve_unban_request(call: Call[UnbanDecision, Nothing]) -> Answer:
    actor(call)
    query = call.query
    accepted = await submit(
        call,
        f"PATCH {PATH} {query.unban_request_id}",
        ResolveUnbanRequest,
        channel_id=query.broadcaster_id,
        request_id=query.unban_request_id,
        approved=query.status == "approved",
        text=query.resolution_text,
    )
    await settle(call, accepted)
    rows = await call.services.database.rows(
        _SQL, query.broadcaster_id, None, None, query.unban_request_id, None, None, 1
    )
    return Answer(Listing[UnbanRequest](data=[_request(row) for row in rows]), accepted.token)


def _request(row: Record) -> UnbanRequest:
    fields = {name: row[name] for name in UnbanRequest.model_fields if name in row}
    names = ("broadcaster_login", "broadcaster_name", "user_login", "user_name")
    known = {name: fields[name] or "" for name in names}
    return UnbanRequest(**{**fields, **known, "id": row["request_id"], "broadcaster_id": row["channel_id"]})


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=PATH,
        tag="Moderation",
        summary="Get unban requests",
        description="Newest first.",
        handler=list_unban_requests,
        query=UnbanRequestsQuery,
        body=Nothing,
        answer=Page[UnbanRequest],
        scope="moderator:read:unban_requests",
        or_scopes=(SCOPE,),
    ),
    Endpoint(
        method="POST",
        path=PATH,
        tag="Moderation",
        summary="Ask to be unbanned",
        description="Once a ban, by who is banned for good. Not in Helix.",
        handler=request_unban,
        query=Nothing,
        body=NewUnbanRequest,
        answer=Listing[MadeUnbanRequest],
        scope="user:write:chat",
        mutates=True,
        rejections=(404, 409),
    ),
    Endpoint(
        method="PATCH",
        path=PATH,
        tag="Moderation",
        summary="Answer an unban request",
        description="An approved one ends the ban.",
        handler=resolve_unban_request,
        query=UnbanDecision,
        body=Nothing,
        answer=Listing[UnbanRequest],
        scope=SCOPE,
        mutates=True,
        rejections=(404,),
    ),
)

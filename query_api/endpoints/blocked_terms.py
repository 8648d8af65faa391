"""Terms that may not be said."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from commands.identity import new_id
from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.fields import Line, MessageId
from query_api.moderating import ModeratorQuery, actor, carry_out, reader, submit
from query_api.pages import Listing, Page, PageQuery, by_time, paged
from schemas.commands.chat_policy import AddBlockedTerm, RemoveBlockedTerm

PATH = "/helix/moderation/blocked_terms"
SCOPE = "moderator:manage:blocked_terms"

_SQL = """
SELECT channel_id AS broadcaster_id, moderator_id, term_id AS id, text, created_at, created_at AS updated_at
FROM blocked_terms
WHERE channel_id = $1 AND ($2::timestamptz IS NULL OR (created_at, term_id) < ($2, $3))
ORDER BY created_at DESC, term_id DESC LIMIT $4
"""


class TermsQuery(ModeratorQuery, PageQuery):
    """Whose terms."""


class NewTerm(Body):
    """What may not be said. `*` stands for any letters."""

    text: Annotated[Line, Field(min_length=2, max_length=500)]


class BlockedTerm(BaseModel):
    """Helix's fields."""

    broadcaster_id: str
    moderator_id: str
    id: str
    text: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None


class TermQuery(ModeratorQuery):
    """Which term."""

    id: MessageId


async def list_blocked_terms(call: Call[TermsQuery, Nothing]) -> Answer:
    query = call.query
    await reader(call)
    after = query.place(by_time)
    rows = await call.services.database.rows(_SQL, query.broadcaster_id, *after, query.first + 1)
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["created_at"], row["id"]))
    return Answer(Page[BlockedTerm](data=[BlockedTerm(**row) for row in page], pagination=pagination))


async def add_blocked_term(call: Call[ModeratorQuery, NewTerm]) -> Answer:
    moderator, channel_id, text = actor(call), call.query.broadcaster_id, call.body.text
    accepted = await submit(call, f"POST {PATH}", AddBlockedTerm, channel_id=channel_id, term_id=new_id(), text=text)
    at = datetime.fromisoformat(accepted.reply["created_at"])
    added = BlockedTerm(
        broadcaster_id=channel_id,
        moderator_id=moderator.user_id,
        id=accepted.reply["term_id"],
        text=" ".join(text.split()),
        created_at=at,
        updated_at=at,
    )
    return Answer(Listing[BlockedTerm](data=[added]), accepted.token)


async def remove_blocked_term(call: Call[TermQuery, Nothing]) -> Answer:
    actor(call)
    channel_id, term_id = call.query.broadcaster_id, call.query.id
    scope = f"DELETE {PATH} {term_id}"
    return await carry_out(call, scope, RemoveBlockedTerm, channel_id=channel_id, term_id=term_id)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=PATH,
        tag="Moderation",
        summary="Get the blocked terms",
        description="Newest first.",
        handler=list_blocked_terms,
        query=TermsQuery,
        body=Nothing,
        answer=Page[BlockedTerm],
        scope="moderator:read:blocked_terms",
        or_scopes=(SCOPE,),
    ),
    Endpoint(
        method="POST",
        path=PATH,
        tag="Moderation",
        summary="Block a term",
        handler=add_blocked_term,
        query=ModeratorQuery,
        body=NewTerm,
        answer=Listing[BlockedTerm],
        scope=SCOPE,
        mutates=True,
        rejections=(404, 409),
    ),
    Endpoint(
        method="DELETE",
        path=PATH,
        tag="Moderation",
        summary="Remove a blocked term",
        handler=remove_blocked_term,
        query=TermQuery,
        body=Nothing,
        status=204,
        scope=SCOPE,
        mutates=True,
        rejections=(404,),
    ),
)

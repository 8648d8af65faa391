"""Who is in a chat."""

from __future__ import annotations

from pydantic import BaseModel, Field, TypeAdapter

from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.moderating import ModeratorQuery, reader
from query_api.pages import CursorId, Page, PageQuery, Pagination, cursor_of, keys_of

MOST = 1_000

by_login: TypeAdapter[tuple[str]] = TypeAdapter(tuple[CursorId])


class ChattersQuery(ModeratorQuery, PageQuery):
    """Whose chat."""

    first: int = Field(default=100, ge=1, le=MOST, description="Chatters on the page.")


class PresentUser(BaseModel):
    """Helix's fields."""

    user_id: str
    user_login: str
    user_name: str


class Chatters(Page[PresentUser]):
    """A page of chatters, by login."""

    total: int = Field(
        description="All chatters; who is connected to several chat processes counts for each, and is listed once."
    )


async def list_chatters(call: Call[ChattersQuery, Nothing]) -> Answer:
    query = call.query
    await reader(call)
    (after,) = keys_of(query.after, by_login) if query.after else ("",)
    present = await call.services.chat_processes.chatters(query.broadcaster_id, query.first + 1, after)
    page = present.chatters[: query.first]
    more = len(present.chatters) > query.first
    return Answer(
        Chatters(
            data=[PresentUser(user_id=one.user_id, user_login=one.login, user_name=one.name) for one in page],
            pagination=Pagination(cursor=cursor_of((page[-1].login,), by_login) if more else None),
            total=present.total,
        )
    )


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/helix/chat/chatters",
        tag="Chat",
        summary="Get who is in a chat",
        description="By login, for the owner and moderators. Who comes and goes between two pages may be missed: the "
        "list is of now. Who only reads, without a token, has no name and is not in it.",
        handler=list_chatters,
        query=ChattersQuery,
        body=Nothing,
        answer=Chatters,
        scope="moderator:read:chatters",
    ),
)

"""Users as Helix shows them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.errors import ApiError
from query_api.fields import Login, UserId
from query_api.pages import Listing

_SQL = """
SELECT user_id AS id, login, display_name, created_at FROM users
WHERE user_id = ANY($1::text[]) OR login = ANY($2::text[])
ORDER BY user_id
"""


class UsersQuery(BaseModel):
    """Together at most 100 ids and logins; with neither, the token's user."""

    id: list[UserId] = Field(default=[], max_length=100)
    login: list[Login] = Field(default=[], max_length=100)


class User(BaseModel):
    """Helix's fields."""

    id: str
    login: str
    display_name: str
    type: str = ""
    broadcaster_type: str = ""
    description: str = ""
    profile_image_url: str = ""
    offline_image_url: str = ""
    view_count: int = 0
    created_at: datetime


async def list_users(call: Call[UsersQuery, Nothing]) -> Answer:
    ids, logins = call.query.id, call.query.login
    if len(ids) + len(logins) > 100:
        raise ApiError(400, "id, login: at most 100 together.")
    if not ids and not logins:
        ids = [call.user.user_id]
    rows = await call.services.database.rows(_SQL, ids, logins)
    return Answer(Listing[User](data=[User(**row) for row in rows]))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/helix/users",
        tag="Users",
        summary="Get users",
        handler=list_users,
        query=UsersQuery,
        body=Nothing,
        answer=Listing[User],
    ),
)

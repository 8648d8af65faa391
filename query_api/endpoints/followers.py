"""Who follows whom."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.fields import UserId
from query_api.owner import require_owner
from query_api.pages import Page, PageQuery, by_time, paged
from schemas.commands.follows import Follow, Unfollow

_FOLLOWERS = """
SELECT f.follower_id AS user_id, coalesce(u.login, '') AS user_login, coalesce(u.display_name, '') AS user_name,
       f.followed_at
FROM follows f LEFT JOIN users u ON u.user_id = f.follower_id
WHERE f.channel_id = $1 AND ($2::text IS NULL OR f.follower_id = $2)
  AND ($3::timestamptz IS NULL OR (f.followed_at, f.follower_id) < ($3, $4))
ORDER BY f.followed_at DESC, f.follower_id DESC LIMIT $5
"""

_FOLLOWED = """
SELECT f.channel_id AS broadcaster_id, coalesce(u.login, '') AS broadcaster_login,
       coalesce(u.display_name, '') AS broadcaster_name, f.followed_at
FROM follows f LEFT JOIN users u ON u.user_id = f.channel_id
WHERE f.follower_id = $1 AND ($2::text IS NULL OR f.channel_id = $2)
  AND ($3::timestamptz IS NULL OR (f.followed_at, f.channel_id) < ($3, $4))
ORDER BY f.followed_at DESC, f.channel_id DESC LIMIT $5
"""


class FollowersQuery(PageQuery):
    """Whose followers."""

    broadcaster_id: UserId
    user_id: UserId | None = Field(default=None, description="Only this follower: asks whether the user follows.")


class Follower(BaseModel):
    """Helix's fields."""

    user_id: str
    user_login: str
    user_name: str
    followed_at: datetime


class Followers(Page[Follower]):
    """A page of followers, newest first."""

    total: int = Field(description="All followers of the channel.")


class FollowedQuery(PageQuery):
    """Whose followed channels: the token's user."""

    user_id: UserId
    broadcaster_id: UserId | None = Field(default=None, description="Only this channel.")


class FollowedChannel(BaseModel):
    """Helix's fields."""

    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str
    followed_at: datetime


class Followed(Page[FollowedChannel]):
    """A page of followed channels, newest first."""

    total: int = Field(description="All channels that the user follows.")


class FollowQuery(BaseModel):
    """Which channel."""

    broadcaster_id: UserId


async def list_followers(call: Call[FollowersQuery, Nothing]) -> Answer:
    query, database = call.query, call.services.database
    after = query.place(by_time)
    rows = await database.rows(_FOLLOWERS, query.broadcaster_id, query.user_id, *after, query.first + 1)
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["followed_at"], row["user_id"]))
    total = await database.rows("SELECT count(*) FROM follows WHERE channel_id = $1", query.broadcaster_id)
    return Answer(Followers(data=[Follower(**row) for row in page], pagination=pagination, total=total[0]["count"]))


async def list_followed(call: Call[FollowedQuery, Nothing]) -> Answer:
    query, database = call.query, call.services.database
    require_owner(call, query.user_id, "user_id")
    after = query.place(by_time)
    rows = await database.rows(_FOLLOWED, query.user_id, query.broadcaster_id, *after, query.first + 1)
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["followed_at"], row["broadcaster_id"]))
    total = await database.rows("SELECT count(*) FROM follows WHERE follower_id = $1", query.user_id)
    data = [FollowedChannel(**row) for row in page]
    return Answer(Followed(data=data, pagination=pagination, total=total[0]["count"]))


async def follow(call: Call[FollowQuery, Nothing]) -> Answer:
    channel_id = call.query.broadcaster_id
    scope = f"POST /helix/channels/followers {channel_id}"
    command = Follow(channel_id=channel_id, **call.envelope(call.user.user_id, scope))
    accepted = await call.services.gateway.submit(command)
    return Answer(consistency=accepted.token)


async def unfollow(call: Call[FollowQuery, Nothing]) -> Answer:
    channel_id = call.query.broadcaster_id
    scope = f"DELETE /helix/channels/followers {channel_id}"
    command = Unfollow(channel_id=channel_id, **call.envelope(call.user.user_id, scope))
    accepted = await call.services.gateway.submit(command)
    return Answer(consistency=accepted.token)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/helix/channels/followers",
        tag="Followers",
        summary="Get a channel's followers",
        handler=list_followers,
        query=FollowersQuery,
        body=Nothing,
        answer=Followers,
    ),
    Endpoint(
        method="POST",
        path="/helix/channels/followers",
        tag="Followers",
        summary="Follow a channel",
        handler=follow,
        query=FollowQuery,
        body=Nothing,
        status=204,
        scope="user:edit:follows",
        mutates=True,
        rejections=(404, 409),
    ),
    Endpoint(
        method="DELETE",
        path="/helix/channels/followers",
        tag="Followers",
        summary="Stop following a channel",
        handler=unfollow,
        query=FollowQuery,
        body=Nothing,
        status=204,
        scope="user:edit:follows",
        mutates=True,
        rejections=(404, 409),
    ),
    Endpoint(
        method="GET",
        path="/helix/channels/followed",
        tag="Followers",
        summary="Get the channels that the user follows",
        handler=list_followed,
        query=FollowedQuery,
        body=Nothing,
        answer=Followed,
        scope="user:read:follows",
    ),
)

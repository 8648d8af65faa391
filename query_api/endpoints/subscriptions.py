"""Who subscribes to whom. Nothing is paid."""

from __future__ import annotations

import time
from typing import Literal

from asyncpg import Record
from pydantic import BaseModel, Field

from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.errors import ApiError
from query_api.fields import UserId
from query_api.moderating import carry_out
from query_api.owner import require_owner
from query_api.pages import Listing, Page, PageQuery, by_time, paged
from query_api.rate_limit import refuse_if_spent
from schemas.commands.support import Subscribe, Unsubscribe

PATH = "/helix/subscriptions"
SCOPE = "user:edit:subscriptions"

POINTS = {"1000": 1, "2000": 2, "3000": 6}
"""What a subscription of each tier counts, as on Twitch."""

_SUBSCRIBERS = """
SELECT s.channel_id, b.login AS broadcaster_login, b.display_name AS broadcaster_name,
       s.subscriber_id, u.login AS user_login, u.display_name AS user_name, s.tier, s.since
FROM subscriptions s
LEFT JOIN users b ON b.user_id = s.channel_id LEFT JOIN users u ON u.user_id = s.subscriber_id
WHERE s.channel_id = $1 AND (cardinality($2::text[]) = 0 OR s.subscriber_id = ANY($2))
  AND ($3::timestamptz IS NULL OR (s.since, s.subscriber_id) < ($3, $4))
ORDER BY s.since DESC, s.subscriber_id DESC LIMIT $5
"""

_TIERS = "SELECT tier, count(*) FROM subscriptions WHERE channel_id = $1 GROUP BY tier"

Tier = Literal["1000", "2000", "3000"]


class SubscribersQuery(PageQuery):
    """Whose subscribers, and whether these are among them."""

    broadcaster_id: UserId
    user_id: list[UserId] = Field(default=[], max_length=100)


class Subscription(BaseModel):
    """Helix's fields."""

    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str
    gifter_id: str = ""
    gifter_login: str = ""
    gifter_name: str = ""
    is_gift: bool = False
    plan_name: str
    tier: Tier


class Subscriber(Subscription):
    """Helix's fields."""

    user_id: str
    user_login: str
    user_name: str


class Subscribers(Page[Subscriber]):
    """A page of subscribers, newest first."""

    total: int = Field(description="All subscribers of the channel.")
    points: int = Field(description="1, 2 or 6 for each, by tier.")


class SubscriptionQuery(BaseModel):
    """The token's user's own subscription."""

    broadcaster_id: UserId
    user_id: UserId


class NewSubscription(Body):
    """To which channel, and of which tier; to change the tier, ask again."""

    broadcaster_id: UserId
    tier: Tier = "1000"


class EndQuery(BaseModel):
    """To which channel."""

    broadcaster_id: UserId


async def list_subscribers(call: Call[SubscribersQuery, Nothing]) -> Answer:
    query, database = call.query, call.services.database
    require_owner(call, query.broadcaster_id)
    after = query.place(by_time)
    rows = await database.rows(_SUBSCRIBERS, query.broadcaster_id, query.user_id, *after, query.first + 1)
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["since"], row["subscriber_id"]))
    tiers = {row["tier"]: row["count"] for row in await database.rows(_TIERS, query.broadcaster_id)}
    return Answer(
        Subscribers(
            data=[Subscriber(**_subscription(row), **_user(row)) for row in page],
            pagination=pagination,
            total=sum(tiers.values()),
            points=sum(POINTS.get(tier, 0) * count for tier, count in tiers.items()),
        )
    )


async def get_subscription(call: Call[SubscriptionQuery, Nothing]) -> Answer:
    query = call.query
    require_owner(call, query.user_id, "user_id")
    row = await call.services.database.row(_SUBSCRIBERS, query.broadcaster_id, [query.user_id], None, None, 1)
    if row is None:
        raise ApiError(404, "The user does not subscribe to the channel.", "not_subscribed")
    return Answer(Listing[Subscription](data=[Subscription(**_subscription(row))]))


async def subscribe(call: Call[Nothing, NewSubscription]) -> Answer:
    wish, user = call.body, call.user
    refuse_if_spent(call.services.gifts.take(user.user_id, time.monotonic()), "You give too often.")
    return await carry_out(
        call,
        f"POST {PATH}",
        Subscribe,
        channel_id=wish.broadcaster_id,
        tier=wish.tier,
        subscriber_login=user.login,
        subscriber_name=user.display_name,
    )


async def unsubscribe(call: Call[EndQuery, Nothing]) -> Answer:
    return await carry_out(call, f"DELETE {PATH}", Unsubscribe, channel_id=call.query.broadcaster_id)


def _subscription(row: Record) -> dict[str, str]:
    return {
        "broadcaster_id": row["channel_id"],
        "broadcaster_login": row["broadcaster_login"] or "",
        "broadcaster_name": row["broadcaster_name"] or "",
        "plan_name": f"Tier {row['tier'][0]}",
        "tier": row["tier"],
    }


def _user(row: Record) -> dict[str, str]:
    return {
        "user_id": row["subscriber_id"],
        "user_login": row["user_login"] or "",
        "user_name": row["user_name"] or "",
    }


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=PATH,
        tag="Subscriptions",
        summary="Get a channel's subscribers",
        description="For its owner.",
        handler=list_subscribers,
        query=SubscribersQuery,
        body=Nothing,
        answer=Subscribers,
        scope="channel:read:subscriptions",
    ),
    Endpoint(
        method="GET",
        path=f"{PATH}/user",
        tag="Subscriptions",
        summary="Get whether the user subscribes",
        handler=get_subscription,
        query=SubscriptionQuery,
        body=Nothing,
        answer=Listing[Subscription],
        scope="user:read:subscriptions",
        rejections=(404,),
    ),
    Endpoint(
        method="POST",
        path=PATH,
        tag="Subscriptions",
        summary="Subscribe to a channel",
        description="Or change the tier. The chat is told. Not in Helix.",
        handler=subscribe,
        query=Nothing,
        body=NewSubscription,
        status=204,
        scope=SCOPE,
        mutates=True,
        rejections=(404,),
    ),
    Endpoint(
        method="DELETE",
        path=PATH,
        tag="Subscriptions",
        summary="End a subscription",
        description="Not in Helix.",
        handler=unsubscribe,
        query=EndQuery,
        body=Nothing,
        status=204,
        scope=SCOPE,
        mutates=True,
        rejections=(404,),
    ),
)

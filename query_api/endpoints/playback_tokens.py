"""Tokens that play a stream which is not public."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from asyncpg import Record
from pydantic import BaseModel, Field

from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.errors import ApiError, unavailable
from query_api.fields import UserId
from query_api.pages import Listing
from query_api.playback_links import Grant
from query_api.watching import REFUSALS, may_watch
from schemas.events.channels import PUBLIC
from topology.playback_keys import CannotSign

_SQL = """
SELECT stream_id, playback_path, playback_policy,
       EXISTS (SELECT FROM subscriptions s WHERE s.channel_id = $1 AND s.subscriber_id = $2) AS subscribes
FROM streams
WHERE channel_id = $1 AND status IN ('live', 'disconnected') ORDER BY started_at DESC LIMIT 1
"""


class TokenWish(Body):
    """For whom, for how long."""

    broadcaster_id: UserId = Field(description="Whose live stream.")
    viewer_id: UserId | None = Field(
        default=None, description="Who will watch; the token's user unless he owns the channel, then anybody."
    )
    country: str | None = Field(
        default=None, pattern=r"^[A-Z]{2}$", description="ISO 3166-1: the token works from there only."
    )
    duration_s: int = Field(default=600, ge=10, description="How long it works; an operator's setting is the limit.")


class PlaybackToken(BaseModel):
    """Works below the stream's address until it expires."""

    stream_id: str
    token: str = Field(description="Empty where CloudFront checks signatures of its own.")
    expires_at: datetime
    playback_url: str = Field(description="The multivariant playlist's address with `query` on it.")
    query: str = Field(description="For players that put it on every request below the stream's address.")
    cookies: dict[str, str] = Field(
        description="CloudFront's signed cookies, to be set for its domain and the stream's path; else empty."
    )


async def create_token(call: Call[Nothing, TokenWish]) -> Answer:
    wish, longest_s = call.body, call.services.settings.playback_token_longest_s
    if wish.duration_s > longest_s:
        raise ApiError(400, f"duration_s: at most {longest_s}.")
    stream = await call.services.database.row(_SQL, wish.broadcaster_id, call.user.user_id)
    if stream is None:
        raise ApiError(404, "The channel is not live.", "not_live")
    if stream["playback_policy"] == PUBLIC:
        raise ApiError(409, "The stream is public: its playback_url plays without a token.", "stream_public")
    viewer = _viewer(wish, call.user.user_id, stream)
    grant = Grant(
        stream_id=stream["stream_id"],
        playback_path=stream["playback_path"],
        expires_s=int(time.time()) + wish.duration_s,
        viewer=viewer,
        country=wish.country,
    )
    links = call.services.links
    if not links.binds and (wish.viewer_id or wish.country):
        raise ApiError(400, "viewer_id, country: CloudFront's signatures cannot be bound to these.")
    try:
        link = links.link(grant)
    except CannotSign:
        raise unavailable("This edge has no key that signs playback tokens now.", 60) from None
    token = PlaybackToken(
        stream_id=grant.stream_id,
        token=link.token,
        expires_at=datetime.fromtimestamp(grant.expires_s, UTC),
        playback_url=link.url,
        query=link.query,
        cookies=link.cookies,
    )
    return Answer(Listing[PlaybackToken](data=[token]))


def _viewer(wish: TokenWish, user_id: str, stream: Record) -> str | None:
    """Whom the token is for. Raises ApiError 403."""
    policy = stream["playback_policy"]
    if user_id == wish.broadcaster_id:
        return wish.viewer_id
    if wish.viewer_id not in (None, user_id):
        raise ApiError(403, "viewer_id: only the channel's owner makes tokens for others.", "not_owner")
    if not may_watch(user_id, wish.broadcaster_id, policy, subscribes=stream["subscribes"]):
        raise ApiError(403, REFUSALS[policy], policy)
    return user_id


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/helix/streams/playback_token",
        tag="Streams",
        summary="Make a playback token",
        description="For a live stream that is not public. The channel's owner makes them for anybody; others for "
        "themselves, where the channel's policy lets them in.",
        handler=create_token,
        query=Nothing,
        body=TokenWish,
        answer=Listing[PlaybackToken],
        scope="user:manage:playback",
        rejections=(404, 409),
    ),
)

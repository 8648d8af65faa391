"""Tokens that play what is not public: a live stream, its recording, or a clip."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from asyncpg import Record
from pydantic import BaseModel, Field

from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.errors import ApiError
from query_api.fields import StreamId, UserId
from query_api.pages import Listing
from query_api.playback_links import TOKEN_S, Grant, signed
from query_api.services import Services
from query_api.vod_links import SCOPE
from query_api.watching import REFUSALS, may_watch
from schemas.events.channels import PUBLIC

_LIVE = """
SELECT stream_id, playback_path, playback_policy FROM streams
WHERE channel_id = $1 AND status IN ('live', 'disconnected') ORDER BY started_at DESC LIMIT 1
"""

_VIDEO = """
SELECT v.stream_id, v.playback_path, s.playback_policy
FROM videos v JOIN streams s ON s.stream_id = v.stream_id
WHERE v.channel_id = $1 AND v.stream_id = $2 AND v.published_at IS NOT NULL
"""

_CLIP = """
SELECT c.clip_id AS stream_id, c.playback_path, s.playback_policy
FROM clips c JOIN streams s ON s.stream_id = c.stream_id
WHERE c.channel_id = $1 AND c.clip_id = $2 AND c.published_at IS NOT NULL
"""

_SUBSCRIBES = "SELECT FROM subscriptions WHERE channel_id = $1 AND subscriber_id = $2"


class TokenWish(Body):
    """For whom, for how long."""

    broadcaster_id: UserId = Field(description="Whose live stream, video or clip.")
    video_id: StreamId | None = Field(default=None, description="One of his videos, in place of what is live.")
    clip_id: StreamId | None = Field(default=None, description="One of his clips, likewise.")
    viewer_id: UserId | None = Field(
        default=None, description="Who will watch; the token's user unless he owns the channel, then anybody."
    )
    country: str | None = Field(
        default=None, pattern=r"^[A-Z]{2}$", description="ISO 3166-1: the token works from there only."
    )
    duration_s: int = Field(
        default=TOKEN_S, ge=10, description="How long it works; an operator's setting is the limit."
    )


class PlaybackToken(BaseModel):
    """Works below the stream's address until it expires."""

    stream_id: str = Field(description="Of a clip the clip's id.")
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
    stream = await _wanted(call.services, wish)
    if stream["playback_policy"] == PUBLIC:
        raise ApiError(409, "That is public: its playback_url plays without a token.", "stream_public")
    viewer = await _viewer(call, stream["playback_policy"])
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
    link = signed(links, grant)
    token = PlaybackToken(
        stream_id=grant.stream_id,
        token=link.token,
        expires_at=datetime.fromtimestamp(grant.expires_s, UTC),
        playback_url=link.url,
        query=link.query,
        cookies=link.cookies,
    )
    return Answer(Listing[PlaybackToken](data=[token]))


async def _wanted(services: Services, wish: TokenWish) -> Record:
    """What is to be played. Raises ApiError."""
    if wish.video_id and wish.clip_id:
        raise ApiError(400, "video_id, clip_id: give one of them, or none for what is live.")
    row, owner = services.database.row, wish.broadcaster_id
    if wish.video_id:
        found, missing = await row(_VIDEO, owner, wish.video_id), ("The channel has no such video.", "unknown_video")
    elif wish.clip_id:
        found, missing = await row(_CLIP, owner, wish.clip_id), ("The channel has no such clip.", "unknown_clip")
    else:
        found, missing = await row(_LIVE, owner), ("The channel is not live.", "not_live")
    if found is None:
        raise ApiError(404, *missing)
    return found


async def _viewer(call: Call[Nothing, TokenWish], policy: str) -> str | None:
    """Whom the token is for. Raises ApiError 403."""
    wish, user_id = call.body, call.user.user_id
    if user_id == wish.broadcaster_id:
        return wish.viewer_id
    if wish.viewer_id not in (None, user_id):
        raise ApiError(403, "viewer_id: only the channel's owner makes tokens for others.", "not_owner")
    subscribes = await call.services.database.row(_SUBSCRIBES, wish.broadcaster_id, user_id) is not None
    if not may_watch(user_id, wish.broadcaster_id, policy, subscribes=subscribes):
        raise ApiError(403, REFUSALS[policy], policy)
    return user_id


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/helix/streams/playback_token",
        tag="Streams",
        summary="Make a playback token",
        description="For a live stream, a video or a clip that is not public. The channel's owner makes them for "
        "anybody; others for themselves, where the channel's policy lets them in.",
        handler=create_token,
        query=Nothing,
        body=TokenWish,
        answer=Listing[PlaybackToken],
        scope=SCOPE,
        rejections=(404, 409),
    ),
)

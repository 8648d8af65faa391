"""A recording's chat, by the recording's own time."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from query_api.chat_history import SORTED
from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.endpoints.chat import ChatMessage, shown
from query_api.endpoints.videos import for_viewer
from query_api.errors import ApiError
from query_api.fields import Moment, StreamId
from query_api.pages import Page, PageQuery, by_time, paged
from query_api.vod_links import VodLinks

LONGEST_S = 7 * 24 * 3600

_VIDEO = for_viewer(
    """
SELECT v.channel_id, v.started_at, v.duration_ms
FROM videos v LEFT JOIN streams s ON s.stream_id = v.stream_id
WHERE v.stream_id = $1 AND v.published_at IS NOT NULL AND WATCHABLE
""",
    "$2",
)


class VideoChatQuery(PageQuery):
    """Which part of which recording's chat."""

    video_id: StreamId
    offset_s: float = Field(default=0, ge=0, le=LONGEST_S, description="Seconds into the video.")
    length_s: float = Field(default=60, gt=0, le=LONGEST_S, description="Seconds from there.")
    started_at: Moment | None = Field(
        default=None,
        description="In place of `offset_s`: the moment on the playlist's clock (EXT-X-PROGRAM-DATE-TIME). "
        "Exact also behind an interruption of the stream.",
    )


class VideoChatMessage(ChatMessage):
    """A message, and where in the video it was said."""

    offset_s: float = Field(description="Seconds from the video's beginning by the clock; interruptions count.")


async def list_video_chat(call: Call[VideoChatQuery, Nothing]) -> Answer:
    query, services = call.query, call.services
    place = query.place(by_time)
    video = await services.database.row(_VIDEO, query.video_id, VodLinks(services, call.session).viewer_id)
    if video is None:
        raise ApiError(404, "There is no such video, or you may not watch it.", "unknown_video")
    began = video["started_at"]
    try:
        since = query.started_at or began + timedelta(seconds=query.offset_s)
        until = since + timedelta(seconds=query.length_s)
    except OverflowError as error:
        raise ApiError(400, "started_at: the time is out of range.") from error
    since = max(since, began)
    rows = await services.database.rows(
        SORTED["oldest"], video["channel_id"], None, since, until, *place, False, query.first + 1
    )
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["sent_at"], row["message_id"]))
    data = [
        VideoChatMessage(**dict(message), offset_s=round((message.sent_at - began).total_seconds(), 3))
        for message in await shown(call, page)
    ]
    return Answer(Page[VideoChatMessage](data=data, pagination=pagination))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/helix/videos/chat",
        tag="Videos",
        summary="Get a recording's chat",
        description="What was said while that part was live, oldest first, without what was deleted. Not in Helix.",
        handler=list_video_chat,
        query=VideoChatQuery,
        body=Nothing,
        answer=Page[VideoChatMessage],
        rejections=(404,),
    ),
)

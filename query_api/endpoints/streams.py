"""Who is live, and who was."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from asyncpg import Record
from pydantic import BaseModel, Field

from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.fields import Line, Login, UserId
from query_api.pages import Page, PageQuery, by_count, by_time, paged

_LIVE = """
SELECT s.stream_id, s.channel_id, coalesce(u.login, '') AS login, coalesce(u.display_name, '') AS display_name,
       coalesce(c.title, s.title, '') AS title, coalesce(c.category, s.category, '') AS category,
       coalesce(c.language, s.language, '') AS language, s.started_at, s.playback_path, s.playback_policy,
       s.thumbnail_path,
       watching.viewer_count
FROM streams s
LEFT JOIN users u ON u.user_id = s.channel_id
LEFT JOIN channels c ON c.channel_id = s.channel_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(v.sampling), 0) AS viewer_count FROM viewers v
    WHERE v.stream_id = s.stream_id AND v.left_at IS NULL AND v.last_seen_at > now() - interval '30 s'
) watching
WHERE s.status IN ('live', 'disconnected')
  AND (cardinality($1::text[]) + cardinality($2::text[]) = 0 OR s.channel_id = ANY($1) OR u.login = ANY($2))
  AND (cardinality($3::text[]) = 0 OR coalesce(c.category, s.category, '') = ANY($3))
  AND (cardinality($4::text[]) = 0 OR coalesce(c.language, s.language, '') = ANY($4))
  AND ($5::bigint IS NULL OR (watching.viewer_count, s.stream_id) < ($5, $6))
ORDER BY watching.viewer_count DESC, s.stream_id DESC LIMIT $7
"""

_PAST = """
SELECT s.stream_id, s.channel_id, coalesce(u.login, '') AS login, coalesce(u.display_name, '') AS display_name,
       s.title, s.category, s.language, s.started_at, s.ended_at, s.end_reason
FROM streams s LEFT JOIN users u ON u.user_id = s.channel_id
WHERE s.status = 'ended' AND s.started_at IS NOT NULL
  AND (cardinality($1::text[]) + cardinality($2::text[]) = 0 OR s.channel_id = ANY($1) OR u.login = ANY($2))
  AND ($3::timestamptz IS NULL OR (s.ended_at, s.stream_id) < ($3, $4))
ORDER BY s.ended_at DESC, s.stream_id DESC LIMIT $5
"""

Category = Annotated[Line, Field(max_length=100)]
Language = Annotated[str, Field(pattern=r"^([a-z]{2}|other)$")]


class StreamsQuery(PageQuery):
    """Filters, each repeatable. `user_id` and `user_login` add up."""

    user_id: list[UserId] = Field(default=[], max_length=100)
    user_login: list[Login] = Field(default=[], max_length=100)
    game_id: list[Category] = Field(default=[], max_length=100)
    language: list[Language] = Field(default=[], max_length=100)
    type: Literal["all", "live"] = "all"


class Stream(BaseModel):
    """Helix's fields, and where to play it."""

    id: str
    user_id: str
    user_login: str
    user_name: str
    game_id: str
    game_name: str
    type: Literal["live"] = "live"
    title: str
    viewer_count: int = Field(description="Players heard of within the last 30 s that have not left.")
    started_at: datetime
    language: str
    thumbnail_url: str = Field(
        description="Replace `{width}` and `{height}` by pixels, and `.jpg` by `.webp` for WebP; empty before the "
        "first picture."
    )
    tag_ids: list[str] = []
    tags: list[str] = []
    is_mature: bool = False
    playback_url: str = Field(description="The LL-HLS multivariant playlist; it needs a token unless public.")
    dash_url: str = Field(description="The same media as low-latency DASH: the MPD. Likewise.")
    playback_policy: str = Field(description="Who may watch: public, private or subscribers.")


class PastStreamsQuery(PageQuery):
    """Whose past streams; everybody's when left out."""

    user_id: list[UserId] = Field(default=[], max_length=100)
    user_login: list[Login] = Field(default=[], max_length=100)


class PastStream(BaseModel):
    """A stream that is over."""

    id: str
    user_id: str
    user_login: str
    user_name: str
    game_id: str
    game_name: str
    title: str
    language: str
    started_at: datetime
    ended_at: datetime
    end_reason: str


async def list_streams(call: Call[StreamsQuery, Nothing]) -> Answer:
    query, services = call.query, call.services
    after = query.place(by_count)
    rows = await services.database.rows(
        _LIVE, query.user_id, query.user_login, query.game_id, query.language, *after, query.first + 1
    )
    page, pagination = paged(rows, query.first, by_count, lambda row: (row["viewer_count"], row["stream_id"]))
    playback_url = services.settings.playback_url
    return Answer(Page[Stream](data=[_stream(row, playback_url) for row in page], pagination=pagination))


async def list_past_streams(call: Call[PastStreamsQuery, Nothing]) -> Answer:
    query = call.query
    after = query.place(by_time)
    rows = await call.services.database.rows(_PAST, query.user_id, query.user_login, *after, query.first + 1)
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["ended_at"], row["stream_id"]))
    return Answer(Page[PastStream](data=[_past_stream(row) for row in page], pagination=pagination))


def _stream(row: Record, playback_url: str) -> Stream:
    playlist = playback_url.rstrip("/") + row["playback_path"]
    return Stream(
        id=row["stream_id"],
        user_id=row["channel_id"],
        user_login=row["login"],
        user_name=row["display_name"],
        game_id=row["category"],
        game_name=row["category"],
        title=row["title"],
        viewer_count=row["viewer_count"],
        started_at=row["started_at"],
        language=row["language"],
        thumbnail_url=playback_url.rstrip("/") + row["thumbnail_path"] if row["thumbnail_path"] else "",
        playback_url=playlist,
        dash_url=playlist.rpartition("/")[0] + "/manifest.mpd",
        playback_policy=row["playback_policy"],
    )


def _past_stream(row: Record) -> PastStream:
    return PastStream(
        id=row["stream_id"],
        user_id=row["channel_id"],
        user_login=row["login"],
        user_name=row["display_name"],
        game_id=row["category"],
        game_name=row["category"],
        title=row["title"],
        language=row["language"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        end_reason=row["end_reason"],
    )


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/helix/streams",
        tag="Streams",
        summary="Get who is live",
        description="Most watched first.",
        handler=list_streams,
        query=StreamsQuery,
        body=Nothing,
        answer=Page[Stream],
    ),
    Endpoint(
        method="GET",
        path="/helix/streams/past",
        tag="Streams",
        summary="Get past streams",
        description="Last ended first.",
        handler=list_past_streams,
        query=PastStreamsQuery,
        body=Nothing,
        answer=Page[PastStream],
    ),
)

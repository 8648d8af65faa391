"""Recordings, as Helix shows videos. Those that are not public are shown to who may watch them, with a token."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from asyncpg import Record
from pydantic import BaseModel, Field

from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.errors import ApiError
from query_api.fields import StreamId, UserId
from query_api.pages import Page, PageQuery, by_time, paged
from query_api.vod_links import VodLinks
from schemas.commands.recordings import DeleteRecording
from schemas.events.channels import PUBLIC

SCOPE = "channel:manage:videos"

_WATCHABLE = """(s.playback_policy = 'public' OR v.channel_id = VIEWER OR (
    s.playback_policy = 'subscribers' AND EXISTS (
        SELECT FROM subscriptions p WHERE p.channel_id = v.channel_id AND p.subscriber_id = VIEWER)))"""


def for_viewer(sql: str, parameter: str) -> str:
    """The query with `WATCHABLE` filled in: whether the viewer, a parameter, may watch video `v` of stream `s`."""
    return sql.replace("WATCHABLE", _WATCHABLE.replace("VIEWER", parameter))


_SQL = for_viewer(
    """
SELECT v.stream_id, v.channel_id, coalesce(u.login, '') AS login, coalesce(u.display_name, '') AS display_name,
       coalesce(s.title, '') AS title, coalesce(s.language, '') AS language, v.started_at, v.published_at,
       v.duration_ms, v.bytes, v.complete, v.playback_path, v.renditions,
       v.thumbnail_path, coalesce(s.playback_policy, '') AS playback_policy
FROM videos v
LEFT JOIN users u ON u.user_id = v.channel_id
LEFT JOIN streams s ON s.stream_id = v.stream_id
WHERE v.published_at IS NOT NULL AND WATCHABLE
  AND (cardinality($1::text[]) = 0 OR v.stream_id = ANY($1))
  AND ($2::text IS NULL OR v.channel_id = $2)
  AND ($3::timestamptz IS NULL OR (v.published_at, v.stream_id) < ($3, $4))
ORDER BY v.published_at DESC, v.stream_id DESC LIMIT $5
""",
    "$6",
)


class VideosQuery(PageQuery):
    """Some videos, or those of a user."""

    id: list[StreamId] = Field(default=[], max_length=100)
    user_id: UserId | None = None


class Video(BaseModel):
    """Helix's fields, and what of the recording there is."""

    id: str = Field(description="The stream's id: a stream has one recording.")
    stream_id: str
    user_id: str
    user_login: str
    user_name: str
    title: str
    description: str = ""
    created_at: datetime = Field(description="When the stream began.")
    published_at: datetime
    url: str = Field(description="The multivariant playlist; with a playback token on it unless public.")
    thumbnail_url: str = Field(
        description="Replace `%{width}` and `%{height}` by pixels, and `.jpg` by `.webp`; empty without pictures."
    )
    thumbnails_url: str = Field(
        description="WebVTT of small pictures for a seek bar; empty without pictures. Not in Helix."
    )
    viewable: Literal["public", "private"]
    view_count: int = 0
    language: str
    type: Literal["archive"] = "archive"
    duration: str = Field(description="Such as 3h8m33s.")
    muted_segments: None = None
    playback_url: str = Field(description="As url.")
    playback_policy: str = Field(description="Who may watch: public, private or subscribers.")
    size: int = Field(description="Bytes.")
    complete: bool = Field(description="False when something is missing; manifest.json beside the playlist lists it.")
    renditions: list[str]


class OwnVideosQuery(BaseModel):
    """Which videos, of the token's user."""

    id: list[StreamId] = Field(min_length=1, max_length=5)


class DeletedVideos(BaseModel):
    """Their ids."""

    data: list[str]


async def list_videos(call: Call[VideosQuery, Nothing]) -> Answer:
    query, services = call.query, call.services
    if bool(query.id) == bool(query.user_id):
        raise ApiError(400, "id, user_id: give one of them.")
    after = query.place(by_time)
    links = VodLinks(services, call.session)
    rows = await services.database.rows(_SQL, query.id, query.user_id, *after, query.first + 1, links.viewer_id)
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["published_at"], row["stream_id"]))
    return Answer(Page[Video](data=[_video(row, links) for row in page], pagination=pagination))


async def delete_videos(call: Call[OwnVideosQuery, Nothing]) -> Answer:
    user_id = call.user.user_id
    done, token = [], None
    for video_id in dict.fromkeys(call.query.id):
        envelope = call.envelope(user_id, f"DELETE /helix/videos {video_id}")
        command = DeleteRecording(channel_id=user_id, stream_id=video_id, reason="owner", **envelope)
        accepted = await call.services.gateway.submit(command)
        done.append(video_id)
        token = accepted.token or token
    return Answer(DeletedVideos(data=done), token)


def helix_duration(milliseconds: int) -> str:
    """Whole seconds as Helix writes them: 3h8m33s, 21s."""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{seconds}s"


def _video(row: Record, links: VodLinks) -> Video:
    policy = row["playback_policy"]
    vod = links.vod(row["stream_id"], row["channel_id"], row["playback_path"], policy)
    url = vod.at("index.m3u8")
    name = row["thumbnail_path"].rpartition("/")[2].replace("{", "%{")
    return Video(
        id=row["stream_id"],
        stream_id=row["stream_id"],
        user_id=row["channel_id"],
        user_login=row["login"],
        user_name=row["display_name"],
        title=row["title"],
        created_at=row["started_at"],
        published_at=row["published_at"],
        url=url,
        thumbnail_url=vod.at(name) if name else "",
        thumbnails_url=vod.at("thumbnails.vtt") if name else "",
        viewable="public" if policy == PUBLIC else "private",
        language=row["language"],
        duration=helix_duration(row["duration_ms"]),
        playback_url=url,
        playback_policy=policy,
        size=row["bytes"],
        complete=row["complete"],
        renditions=row["renditions"],
    )


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/helix/videos",
        tag="Videos",
        summary="Get recordings",
        description="By `id` or by `user_id`, last published first. Videos that are not public are there for who may "
        "watch them and shows a token with the scope user:manage:playback.",
        handler=list_videos,
        query=VideosQuery,
        body=Nothing,
        answer=Page[Video],
    ),
    Endpoint(
        method="DELETE",
        path="/helix/videos",
        tag="Videos",
        summary="Delete recordings of the token's user",
        description="In the order given, up to the first that cannot be deleted. Clips made from them stay.",
        handler=delete_videos,
        query=OwnVideosQuery,
        body=Nothing,
        answer=DeletedVideos,
        scope=SCOPE,
        mutates=True,
        rejections=(404, 409),
    ),
)

"""Clips: short stretches of what is live or was, kept on their own. Who may watch them is as their stream was."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from asyncpg import Record
from pydantic import BaseModel, Field

from commands.identity import new_id
from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.errors import ApiError
from query_api.fields import Line, StreamId, UserId
from query_api.pages import Listing, Page, PageQuery, by_time, paged
from query_api.vod_links import VodLinks
from schemas.commands.recordings import CreateClip, DeleteClip

SCOPE = "clips:edit"

_SQL = """
SELECT c.clip_id, c.channel_id, coalesce(b.display_name, '') AS broadcaster_name, c.creator_id,
       coalesce(a.display_name, '') AS creator_name, coalesce(v.stream_id, '') AS video_id,
       coalesce(s.category, '') AS category, coalesce(s.language, '') AS language,
       coalesce(nullif(c.title, ''), s.title, '') AS title, c.created_at,
       c.duration_ms, c.vod_offset_ms, c.playback_path,
       coalesce(s.playback_policy, '') AS playback_policy
FROM clips c
LEFT JOIN users b ON b.user_id = c.channel_id
LEFT JOIN users a ON a.user_id = c.creator_id
LEFT JOIN videos v ON v.stream_id = c.stream_id AND v.published_at IS NOT NULL
LEFT JOIN streams s ON s.stream_id = c.stream_id
WHERE c.published_at IS NOT NULL AND c.created_at IS NOT NULL
  AND (s.playback_policy = 'public' OR c.channel_id = $6 OR (s.playback_policy = 'subscribers' AND EXISTS (
      SELECT FROM subscriptions p WHERE p.channel_id = c.channel_id AND p.subscriber_id = $6)))
  AND (cardinality($1::text[]) = 0 OR c.clip_id = ANY($1))
  AND ($2::text IS NULL OR c.channel_id = $2)
  AND ($3::timestamptz IS NULL OR (c.created_at, c.clip_id) < ($3, $4))
ORDER BY c.created_at DESC, c.clip_id DESC LIMIT $5
"""

Title = Annotated[Line, Field(max_length=140, description="The stream's title when left out.")]
Duration = Annotated[float, Field(ge=5, le=60, description="Seconds, to a tenth.")]


class NewClip(BaseModel):
    """Whose live stream to clip. The clip is its last seconds."""

    broadcaster_id: UserId
    title: Title = ""
    duration: Duration = 30


class NewVideoClip(BaseModel):
    """Which of the broadcaster's videos to clip, and where."""

    broadcaster_id: UserId
    vod_id: StreamId
    vod_offset: float = Field(ge=0, le=1_000_000, description="Where in the video the clip ends, seconds.")
    title: Title = ""
    duration: Duration = 30


class MadeClip(BaseModel):
    """A clip that will be cut."""

    id: str
    edit_url: str = Field(description="Where it appears once it is cut, with its real bounds.")


class ClipsQuery(PageQuery):
    """Some clips, or those of a broadcaster."""

    id: list[StreamId] = Field(default=[], max_length=100)
    broadcaster_id: UserId | None = None


class Clip(BaseModel):
    """Helix's fields, and where to play it."""

    id: str
    url: str = Field(description="The multivariant playlist; with a playback token on it unless public.")
    embed_url: str = ""
    broadcaster_id: str
    broadcaster_name: str
    creator_id: str
    creator_name: str
    video_id: str = Field(description="Empty when the video is not published yet, or is deleted.")
    game_id: str
    language: str
    title: str
    view_count: int = 0
    created_at: datetime
    thumbnail_url: str = ""
    duration: float = Field(description="Seconds, as it was cut: from a keyframe, in whole segments.")
    vod_offset: float = Field(description="Where it begins in the video, seconds.")
    is_featured: bool = False
    playback_url: str = Field(description="As url.")
    playback_policy: str = Field(description="Who may watch: public, private or subscribers.")


class ClipQuery(BaseModel):
    """Which clip of which channel."""

    id: StreamId
    broadcaster_id: UserId


async def clip_stream(call: Call[NewClip, Nothing]) -> Answer:
    new = call.query
    return await _create(call, "POST /helix/clips", new.broadcaster_id, new.title, new.duration)


async def clip_video(call: Call[NewVideoClip, Nothing]) -> Answer:
    new = call.query
    video = {"vod_id": new.vod_id, "vod_end_ms": round(new.vod_offset * 1000)}
    return await _create(call, "POST /helix/videos/clips", new.broadcaster_id, new.title, new.duration, **video)


async def _create(
    call: Call[NewClip, Nothing] | Call[NewVideoClip, Nothing],
    scope: str,
    channel_id: str,
    title: str,
    duration_s: float,
    **video: object,
) -> Answer:
    command = CreateClip(
        channel_id=channel_id,
        clip_id=new_id(),
        title=title,
        duration_ms=round(duration_s * 10) * 100,
        **video,
        **call.envelope(call.user.user_id, f"{scope} {channel_id}"),
    )
    accepted = await call.services.gateway.submit(command)
    clip_id = accepted.reply["clip_id"]
    shown = f"{call.services.settings.edge_url.rstrip('/')}/helix/clips?id={clip_id}"
    return Answer(Listing[MadeClip](data=[MadeClip(id=clip_id, edit_url=shown)]), accepted.token)


async def list_clips(call: Call[ClipsQuery, Nothing]) -> Answer:
    query, services = call.query, call.services
    if bool(query.id) == bool(query.broadcaster_id):
        raise ApiError(400, "id, broadcaster_id: give one of them.")
    after = query.place(by_time)
    links = VodLinks(services, call.session)
    rows = await services.database.rows(_SQL, query.id, query.broadcaster_id, *after, query.first + 1, links.viewer_id)
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["created_at"], row["clip_id"]))
    return Answer(Page[Clip](data=[_clip(row, links) for row in page], pagination=pagination))


async def delete_clip(call: Call[ClipQuery, Nothing]) -> Answer:
    channel_id, clip_id = call.query.broadcaster_id, call.query.id
    envelope = call.envelope(call.user.user_id, f"DELETE /helix/clips {clip_id}")
    accepted = await call.services.gateway.submit(DeleteClip(channel_id=channel_id, clip_id=clip_id, **envelope))
    return Answer(consistency=accepted.token)


def _clip(row: Record, links: VodLinks) -> Clip:
    vod = links.vod(row["clip_id"], row["channel_id"], row["playback_path"], row["playback_policy"])
    url = vod.at("index.m3u8")
    return Clip(
        id=row["clip_id"],
        url=url,
        broadcaster_id=row["channel_id"],
        broadcaster_name=row["broadcaster_name"],
        creator_id=row["creator_id"],
        creator_name=row["creator_name"],
        video_id=row["video_id"],
        game_id=row["category"],
        language=row["language"],
        title=row["title"],
        created_at=row["created_at"],
        duration=row["duration_ms"] / 1000,
        vod_offset=row["vod_offset_ms"] / 1000,
        playback_url=url,
        playback_policy=row["playback_policy"],
    )


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/helix/clips",
        tag="Clips",
        summary="Get clips",
        description="By `id` or by `broadcaster_id`, newest first. A clip appears once it is cut; those that are not "
        "public are shown as such videos are.",
        handler=list_clips,
        query=ClipsQuery,
        body=Nothing,
        answer=Page[Clip],
    ),
    Endpoint(
        method="POST",
        path="/helix/clips",
        tag="Clips",
        summary="Clip a live stream",
        description="Its last seconds. The clip is cut within some seconds; GET /helix/clips shows it then. Of a "
        "stream that is not public only its owner makes clips.",
        handler=clip_stream,
        query=NewClip,
        body=Nothing,
        answer=Listing[MadeClip],
        status=202,
        scope=SCOPE,
        mutates=True,
        rejections=(404, 409),
    ),
    Endpoint(
        method="POST",
        path="/helix/videos/clips",
        tag="Clips",
        summary="Clip a video",
        description="The seconds before `vod_offset`, which is at least `duration`.",
        handler=clip_video,
        query=NewVideoClip,
        body=Nothing,
        answer=Listing[MadeClip],
        status=202,
        scope=SCOPE,
        mutates=True,
        rejections=(404, 409),
    ),
    Endpoint(
        method="DELETE",
        path="/helix/clips",
        tag="Clips",
        summary="Delete a clip",
        description="By its creator or by the broadcaster. Not in Helix.",
        handler=delete_clip,
        query=ClipQuery,
        body=Nothing,
        status=204,
        scope=SCOPE,
        mutates=True,
        rejections=(404,),
    ),
)

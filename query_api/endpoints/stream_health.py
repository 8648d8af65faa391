"""How a stream is doing and how it did. Of a stream that is not public, its owner is told only."""

from __future__ import annotations

from datetime import datetime

from asyncpg import Record
from pydantic import BaseModel, Field

from query_api.advice import advice_for, figures_of
from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.errors import ApiError
from query_api.fields import Moment, StreamId
from query_api.pages import Page, PageQuery, by_time, paged
from schemas.events.channels import PUBLIC

CHANGES = 100

_STREAM = "SELECT stream_id, channel_id, started_at, playback_policy FROM streams WHERE stream_id = $1"

_SAMPLE = "SELECT * FROM health_samples WHERE stream_id = $1 ORDER BY sampled_at DESC, event_id DESC LIMIT 1"

_ENCODER = "SELECT * FROM health_encoders WHERE stream_id = $1 ORDER BY announced_at DESC, event_id DESC LIMIT 1"

_CHANGE = "SELECT * FROM health_changes WHERE stream_id = $1 ORDER BY changed_at DESC, event_id DESC LIMIT 1"

_CODES = """
SELECT code, coalesce(severity, 'warning') AS severity, (
    SELECT min(changed_at) FROM health_changes WHERE stream_id = $1 AND changed_at > coalesce(
        (SELECT max(changed_at) FROM health_changes WHERE stream_id = $1 AND NOT code = ANY (codes)), '-infinity')
) AS since
FROM unnest($2::text[], $3::text[]) AS holds (code, severity)
"""

_SAMPLES = """
SELECT * FROM health_samples
WHERE stream_id = $1 AND sampled_at >= coalesce($2, '-infinity'::timestamptz)
  AND sampled_at < coalesce($3, 'infinity'::timestamptz)
  AND ($4::timestamptz IS NULL OR (sampled_at, event_id) < ($4, $5))
ORDER BY sampled_at DESC, event_id DESC LIMIT $6
"""

_CHANGED = """
SELECT changed_at, status, previous, codes, severities FROM health_changes
WHERE stream_id = $1 AND changed_at >= coalesce($2, '-infinity'::timestamptz)
  AND changed_at < coalesce($3, 'infinity'::timestamptz)
ORDER BY changed_at DESC, event_id DESC LIMIT $4
"""

_STARVED = """
SELECT noticed_at, starving, ms FROM health_starvations
WHERE stream_id = $1 AND noticed_at >= coalesce($2, '-infinity'::timestamptz)
  AND noticed_at < coalesce($3, 'infinity'::timestamptz)
ORDER BY noticed_at DESC, event_id DESC LIMIT $4
"""


class HealthQuery(PageQuery):
    """`first` and `after` page through the samples."""

    stream_id: StreamId
    started_at: Moment | None = Field(default=None, description="The timelines begin here, RFC 3339.")
    ended_at: Moment | None = Field(default=None, description="They end before this.")


class Sample(BaseModel):
    """What one segment measured."""

    sequence: int
    sampled_at: datetime
    status: str
    duration_ms: int
    bitrate_kbps: float
    video_kbps: float
    audio_kbps: float
    bitrate_10s_kbps: float = Field(description="Over the last 10 s of media.")
    bitrate_60s_kbps: float = Field(description="Over the last 60 s.")
    frame_rate: float
    gop_ms: int = Field(description="Longest distance between keyframes.")
    gop_min_ms: int = Field(description="Shortest one; 0 when none was complete.")
    b_frames: int = Field(description="Most B-frames in a row.")
    av_skew_ms: int = Field(description="Audio minus video.")
    dts_gaps: int = Field(description="Timestamp jumps.")
    drift_ms: int = Field(description="Media time minus wall clock.")
    starved_ms: int = Field(description="How long media lagged behind the clock.")
    width: int
    height: int
    loudness_dbfs: float | None = Field(description="Null in samples for which no sound was decoded.")
    brightness: float | None = Field(description="2 % of the picture are brighter, 0 to 255; null when not decoded.")
    picture_change: float | None = Field(description="Since the picture decoded before, 0 to 255; null without two.")


class Advice(BaseModel):
    """A code that holds, in plain words."""

    code: str
    severity: str = Field(description="info, warning or error.")
    since: datetime
    message: str


class Change(BaseModel):
    """The status or its reasons changed."""

    changed_at: datetime
    status: str
    previous: str
    codes: list[str]
    severities: list[str] = Field(description="Of each code, in their order.")


class Starvation(BaseModel):
    """Media stopped keeping up with the clock, or keeps up again."""

    noticed_at: datetime
    starving: bool
    ms: int = Field(description="How far behind it was at a start; how long it lasted at an end.")


class Encoder(BaseModel):
    """What the encoder says of itself (onMetaData); 0 or empty where it does not say."""

    announced_at: datetime
    encoder: str
    video_codec_id: str
    audio_codec_id: str
    configured_width: int
    configured_height: int
    configured_frame_rate: float
    configured_video_kbps: float
    configured_audio_kbps: float


class Now(BaseModel):
    """The latest judgement."""

    status: str = Field(description="ok, warning, error; unknown before the first segment.")
    since: datetime | None
    advice: list[Advice] = Field(description="One per code that holds.")


class Health(BaseModel):
    """A stream's health. The timelines are newest first."""

    stream_id: str
    user_id: str
    now: Now
    encoder: Encoder | None
    changes: list[Change] = Field(description=f"The last {CHANGES}.")
    starvations: list[Starvation] = Field(description=f"The last {CHANGES} starts and ends.")
    samples: list[Sample]


async def get_health(call: Call[HealthQuery, Nothing]) -> Answer:
    query, rows = call.query, call.services.database.rows
    after = query.place(by_time)
    stream = await call.services.database.row(_STREAM, query.stream_id)
    if stream is None:
        raise ApiError(404, "There is no stream with this id.")
    if stream["playback_policy"] != PUBLIC and call.user.user_id != stream["channel_id"]:
        raise ApiError(403, "The stream is not public: only its owner sees how it is doing.", "not_owner")
    where = (query.stream_id, query.started_at, query.ended_at)
    encoder = await call.services.database.row(_ENCODER, query.stream_id)
    samples, pagination = paged(
        await rows(_SAMPLES, *where, *after, query.first + 1),
        query.first,
        by_time,
        lambda row: (row["sampled_at"], row["event_id"]),
    )
    health = Health(
        stream_id=stream["stream_id"],
        user_id=stream["channel_id"],
        now=await _now(call, stream, encoder),
        encoder=Encoder(**encoder) if encoder else None,
        changes=[Change(**row) for row in await rows(_CHANGED, *where, CHANGES)],
        starvations=[Starvation(**row) for row in await rows(_STARVED, *where, CHANGES)],
        samples=[Sample(**row) for row in samples],
    )
    return Answer(Page[Health](data=[health], pagination=pagination))


async def _now(call: Call[HealthQuery, Nothing], stream: Record, encoder: Record | None) -> Now:
    """Only changes are told, so a stream that was sampled and never changed is well since its start."""
    database, stream_id = call.services.database, stream["stream_id"]
    sample = await database.row(_SAMPLE, stream_id)
    last = await database.row(_CHANGE, stream_id)
    if last is None:
        since = stream["started_at"] if sample else None
        return Now(status="ok" if sample else "unknown", since=since, advice=[])
    figures = figures_of(*(dict(row.items()) if row else {} for row in (sample, encoder)))
    codes = await database.rows(_CODES, stream_id, last["codes"], last["severities"])
    advice = [Advice(**row, message=advice_for(row["code"], figures)) for row in codes]
    return Now(status=last["status"], since=last["changed_at"], advice=advice)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/streams/{stream_id}/health",
        tag="Streams",
        summary="Get a stream's health",
        description="How it is doing now with advice, what its encoder says, the changes of its status, its "
        "starvations, and a sample per segment. Of a stream that is not public, its owner is told only.",
        handler=get_health,
        query=HealthQuery,
        body=Nothing,
        answer=Page[Health],
    ),
)

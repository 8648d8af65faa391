"""How a stream is doing and how it did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from query_api.advice import advice_for
from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.errors import ApiError
from query_api.fields import StreamId
from query_api.pages import Page, PageQuery, by_time, keys_of, paged

CHANGES = 100

_STREAM = "SELECT stream_id, channel_id, started_at FROM streams WHERE stream_id = $1"

_SAMPLES = """
SELECT event_id, sequence, sampled_at, duration_ms, bitrate_kbps, frame_rate, gop_ms, av_skew_ms, dts_gaps, drift_ms,
       status
FROM health_samples
WHERE stream_id = $1 AND ($2::timestamptz IS NULL OR (sampled_at, event_id) < ($2, $3))
ORDER BY sampled_at DESC, event_id DESC LIMIT $4
"""

_CHANGES = """
SELECT changed_at, status, previous, codes FROM health_changes
WHERE stream_id = $1 ORDER BY changed_at DESC, event_id DESC LIMIT $2
"""


class HealthQuery(PageQuery):
    """`first` and `after` page through the samples."""

    stream_id: StreamId


class Sample(BaseModel):
    """What one segment measured."""

    sequence: int
    sampled_at: datetime
    status: str
    duration_ms: int
    bitrate_kbps: float
    frame_rate: float
    gop_ms: int = Field(description="Longest distance between keyframes.")
    av_skew_ms: int = Field(description="Audio minus video.")
    dts_gaps: int = Field(description="Timestamp jumps.")
    drift_ms: int = Field(description="Media time minus wall clock.")


class Advice(BaseModel):
    """A code in plain words."""

    code: str
    message: str


class Change(BaseModel):
    """The status or its reasons changed."""

    changed_at: datetime
    status: str
    previous: str
    codes: list[str]


class Now(BaseModel):
    """The latest judgement."""

    status: str = Field(description="ok, warning, error; unknown before the first segment.")
    since: datetime | None
    advice: list[Advice] = Field(description="One per code that holds.")


class Health(BaseModel):
    """A stream's health. Both timelines are newest first."""

    stream_id: str
    user_id: str
    now: Now
    changes: list[Change] = Field(description=f"The last {CHANGES}.")
    samples: list[Sample]


async def get_health(call: Call[HealthQuery, Nothing]) -> Answer:
    query, database = call.query, call.services.database
    after = keys_of(query.after, by_time) if query.after else (None, None)
    stream = await database.row(_STREAM, query.stream_id)
    if stream is None:
        raise ApiError(404, "There is no stream with this id.")
    changes = await database.rows(_CHANGES, query.stream_id, CHANGES)
    rows = await database.rows(_SAMPLES, query.stream_id, *after, query.first + 1)
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["sampled_at"], row["event_id"]))
    health = Health(
        stream_id=stream["stream_id"],
        user_id=stream["channel_id"],
        now=_now(changes[0] if changes else None, stream["started_at"], bool(rows)),
        changes=[Change(**row) for row in changes],
        samples=[Sample(**row) for row in page],
    )
    return Answer(Page[Health](data=[health], pagination=pagination))


def _now(last: Any, started_at: datetime | None, sampled: bool) -> Now:
    """Only changes are told, so a stream that was sampled and never changed is well since its start."""
    if last is None:
        return Now(status="ok" if sampled else "unknown", since=started_at if sampled else None, advice=[])
    advice = [Advice(code=code, message=advice_for(code)) for code in last["codes"]]
    return Now(status=last["status"], since=last["changed_at"], advice=advice)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/streams/{stream_id}/health",
        tag="Streams",
        summary="Get a stream's health",
        description="How it is doing now with advice, the changes of its status, and a sample per segment.",
        handler=get_health,
        query=HealthQuery,
        body=Nothing,
        answer=Page[Health],
    ),
)

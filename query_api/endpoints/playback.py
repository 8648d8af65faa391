"""What players report: who watches, and how well it plays."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field

from commands.identity import new_id
from query_api.endpoint import Answer, Body, Call, Endpoint
from query_api.fields import StreamId
from schemas.events.playback import PlaybackEvent, PlaybackSampled, ViewerJoined, ViewerLeft

ACTOR = "system:edge"
"""Viewers are counted without knowing who they are."""


class PlaybackQuery(BaseModel):
    """Which stream."""

    stream_id: StreamId


class Report(Body):
    """Send `joined` once, `sampled` every 10 seconds, `left` at the end."""

    event: Literal["joined", "sampled", "left"]
    viewer_session_id: str = Field(pattern=r"^[A-Za-z0-9_-]{8,64}$", description="Random per page view.")
    latency_ms: int = Field(default=0, ge=0, le=3_600_000, description="Behind live.")
    stalled_ms: int = Field(default=0, ge=0, le=3_600_000, description="Stood still since the last report.")
    bitrate_kbps: int = Field(default=0, ge=0, le=1_000_000)


async def report(call: Call[PlaybackQuery, Report]) -> Answer:
    services, stream_id = call.services, call.query.stream_id
    channel_id = await services.beacons.channel_of(services.database, stream_id)
    await services.beacons.append(_event(call.body, stream_id, channel_id, call.correlation_id))
    return Answer()


def _event(report: Report, stream_id: str, channel_id: str, correlation_id: str) -> PlaybackEvent:
    common = {
        "event_id": new_id(),
        "occurred_at": datetime.now(UTC),
        "actor": ACTOR,
        "correlation_id": correlation_id,
        "stream_id": stream_id,
        "channel_id": channel_id,
        "viewer_session_id": report.viewer_session_id,
    }
    if report.event == "joined":
        return ViewerJoined(**common)
    if report.event == "left":
        return ViewerLeft(**common)
    return PlaybackSampled(
        **common, latency_ms=report.latency_ms, stalled_ms=report.stalled_ms, bitrate_kbps=report.bitrate_kbps
    )


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/streams/{stream_id}/playback",
        tag="Streams",
        summary="Report how playback goes",
        description="Also takes the JSON as text/plain, which is what navigator.sendBeacon can send across origins.",
        handler=report,
        query=PlaybackQuery,
        body=Report,
        status=204,
        text_body=True,
        rejections=(404,),
    ),
)

"""Who watches, and how well. Key: stream id."""

from __future__ import annotations

from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.message import Event


class PlaybackEvent(Event):
    topic: ClassVar[str] = "playback"
    key_field: ClassVar[str] = "stream_id"
    stream_id: str
    channel_id: str
    viewer_session_id: str = Field(description="Random per page view; no user id. CMCD's session id.")
    source: str = Field(
        default="beacon",
        description="Who says so: beacon (the page), cmcd (the player, to the origin) or cdn (a CDN's log).",
    )
    sampling: types.Int32 = Field(default=1, description="How many sessions this one stands for; 1 is all.")


class ViewerJoined(PlaybackEvent):
    """A player opened the stream."""


class PlaybackSampled(PlaybackEvent):
    """A player reported how it is doing. Counts are since its last sample; null is unknown."""

    latency_ms: types.Int32 = Field(default=0, description="Behind live, ms; 0 where unknown.")
    stalled_ms: types.Int32 = Field(default=0, description="Stood still with an empty buffer, ms.")
    bitrate_kbps: types.Int32 = Field(default=0, description="Of the rendition, kbit/s; 0 where unknown.")
    startup_ms: types.Int32 | None = Field(
        default=None, description="From the first request to the first frame, ms; in one sample of a session."
    )
    rebuffers: types.Int32 = Field(default=0, description="How often the buffer ran empty.")
    failures: types.Int32 = Field(default=0, description="Errors that ended playback, and requests that failed.")
    buffer_ms: types.Int32 | None = Field(default=None, description="Buffered ahead, ms.")
    throughput_kbps: types.Int32 | None = Field(default=None, description="Measured by the player, kbit/s.")


class ViewerLeft(PlaybackEvent):
    """A player closed the stream, or is counted no longer."""

    reason: str = Field(
        default="closed",
        description="closed (the page), ended (the player came to the end), silent, or sampled_out (still watching, "
        "counted by others' sampling).",
    )
    started: bool = Field(default=True, description="False for a viewer who left before the first frame.")

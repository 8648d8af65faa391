"""How a stream is doing: one sample per segment, one change per change. Key: stream id."""

from __future__ import annotations

from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.message import Event


class StreamHealthEvent(Event):
    topic: ClassVar[str] = "stream-health"
    key_field: ClassVar[str] = "stream_id"
    stream_id: str
    channel_id: str


class HealthSampled(StreamHealthEvent):
    """What one segment measured."""

    sequence: types.Int32 = Field(description="Media sequence number of the segment.")
    duration_ms: types.Int32
    bitrate_kbps: float = Field(description="Audio and video together, kbit/s.")
    frame_rate: float
    gop_ms: types.Int32 = Field(description="Longest distance between keyframes, ms; 0 without video.")
    av_skew_ms: types.Int32 = Field(description="Audio minus video at the end of the segment, ms.")
    dts_gaps: types.Int32 = Field(description="Timestamp jumps within the segment.")
    drift_ms: types.Int32 = Field(description="Media time minus wall clock since the start, ms.")
    status: str = Field(description="ok, warning or error.")


class HealthChanged(StreamHealthEvent):
    """The status or its reasons changed."""

    status: str = Field(description="ok, warning or error.")
    previous: str
    codes: list[str] = Field(default_factory=list, description="Such as gopSizeLong, bitrateLow.")

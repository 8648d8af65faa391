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
    viewer_session_id: str = Field(description="Random per page view; no user id.")


class ViewerJoined(PlaybackEvent):
    """A player opened the stream."""


class PlaybackSampled(PlaybackEvent):
    """A player reported how it is doing."""

    latency_ms: types.Int32 = 0
    stalled_ms: types.Int32 = 0
    bitrate_kbps: types.Int32 = 0


class ViewerLeft(PlaybackEvent):
    """A player closed the stream."""

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
    video_kbps: float = Field(default=0.0, description="Video alone, kbit/s.")
    audio_kbps: float = Field(default=0.0, description="Audio alone, kbit/s.")
    bitrate_10s_kbps: float = Field(default=0.0, description="Audio and video over the last 10 s of media, kbit/s.")
    bitrate_60s_kbps: float = Field(default=0.0, description="The same over 60 s.")
    gop_min_ms: types.Int32 = Field(
        default=0, description="Shortest distance between keyframes, ms; 0 when none was complete."
    )
    b_frames: types.Int32 = Field(default=0, description="Most B-frames in a row.")
    starved_ms: types.Int32 = Field(default=0, description="How long media lagged behind the clock meanwhile, ms.")
    width: types.Int32 = Field(default=0, description="Of the picture that is sent; 0 without video.")
    height: types.Int32 = Field(default=0, description="Of the picture that is sent; 0 without video.")
    loudness_dbfs: float | None = Field(
        default=None, description="Of a slice of sound, dB below full scale; null when none was decoded."
    )
    brightness: float | None = Field(
        default=None, description="2 % of a keyframe are brighter, 0 to 255; null when none was decoded."
    )
    picture_change: float | None = Field(
        default=None,
        description="Of the 1 % that changed most since the keyframe decoded before, 0 to 255; null without two.",
    )


class HealthChanged(StreamHealthEvent):
    """The status or its reasons changed."""

    status: str = Field(description="ok, warning or error.")
    previous: str
    codes: list[str] = Field(default_factory=list, description="Such as gopSizeLong, bitrateLow.")
    severities: list[str] = Field(
        default_factory=list, description="Of each code, in their order: info, warning or error."
    )


class StarvationStarted(StreamHealthEvent):
    """Media stopped keeping up with the clock: viewers are about to stall."""

    behind_ms: types.Int32 = Field(description="How far behind it was by then, ms.")


class StarvationEnded(StreamHealthEvent):
    """Media keeps up again, or the publisher is gone."""

    lasted_ms: types.Int32 = Field(description="From when media fell behind, ms.")


class EncoderAnnounced(StreamHealthEvent):
    """What the encoder says of its configuration, in `onMetaData`. 0 or empty where it does not say."""

    encoder: str = Field(default="", description="Its name, such as obs-output module (libobs version 31.0.0).")
    video_codec_id: str = Field(default="", description="FLV's number or a FourCC.")
    audio_codec_id: str = Field(default="", description="FLV's number or a FourCC.")
    configured_width: types.Int32 = Field(default=0)
    configured_height: types.Int32 = Field(default=0)
    configured_frame_rate: float = Field(default=0.0)
    configured_video_kbps: float = Field(default=0.0)
    configured_audio_kbps: float = Field(default=0.0)

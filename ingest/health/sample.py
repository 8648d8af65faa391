"""What one segment measured, in the units it is published in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "error"]

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class HealthSample:
    """The figures of `schemas.events.stream_health.HealthSampled`: the same names, units and meanings."""

    sequence: int
    duration_ms: int
    bitrate_kbps: float
    frame_rate: float
    gop_ms: int
    av_skew_ms: int
    dts_gaps: int
    drift_ms: int
    status: Status
    video_kbps: float = 0.0
    audio_kbps: float = 0.0
    bitrate_10s_kbps: float = 0.0
    bitrate_60s_kbps: float = 0.0
    gop_min_ms: int = 0
    b_frames: int = 0
    starved_ms: int = 0
    width: int = 0
    height: int = 0
    loudness_dbfs: float | None = None
    brightness: float | None = None
    picture_change: float | None = None

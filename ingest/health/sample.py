"""What one segment measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class HealthSample:
    """The figures of `schemas.events.stream_health.HealthSampled`, in its units."""

    sequence: int
    duration_ms: int
    bitrate_kbps: float
    frame_rate: float
    gop_ms: int
    av_skew_ms: int
    dts_gaps: int
    drift_ms: int
    status: Status

"""What the media side may take and how it cuts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MediaSettings:
    """Durations in seconds, sizes in bytes."""

    part_target_s: float = 0.2
    """A part is the whole number of frames nearest to this: a single one where the picture is slower."""
    segment_min_s: float = 2.0
    """A keyframe opens a new segment when the open one is this long. Where none comes, a segment is cut at the target
    duration (`WindowLimits.target_s`), and the health says `gopSizeOver`."""
    keyframe_wait_s: float = 10.0
    """Video without a keyframe for this long is refused as `no_keyframe`."""
    track_wait_s: float = 1.0
    """Audio is held for this long before a stream counts as having no video."""
    gap_max_s: float = 3.0
    """A longer jump of the timestamps is a discontinuity. Less than the target duration: a frame lasts that long."""
    rate_max: int = 8_000_000
    """Bytes of media a second. More for long is refused as `bitrate_too_high`, so that memory stays bounded; the health
    says `bitrateHigh` long before."""

"""From what was seen of a segment to its figures."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.health.sample import HealthSample, Status


@dataclass(frozen=True)
class SegmentSeen:
    """What the media side counted while a segment was open. Times in seconds."""

    sequence: int
    duration_s: float
    wall_s: float
    """By our clock, from the segment's first frame to its last."""
    size: int
    """Bytes of audio and video."""
    video_frames: int
    audio_frames: int
    keyframe_distance_s: float
    skew_s: float
    gaps: int
    media_since_start_s: float
    wall_since_start_s: float
    pixels: int
    """Of one picture."""
    declared_frame_rate: float
    """0 when the stream does not say."""
    forced_cut: bool
    """The segment grew to its limit without a keyframe."""
    stored: bool
    """It is on disk."""
    unplayable: bool = False
    """Its video is in a profile that no browser decodes."""

    @property
    def bitrate_kbps(self) -> float:
        return self.size * 8 / self.duration_s / 1000 if self.duration_s else 0.0

    @property
    def frame_rate(self) -> float:
        return self.video_frames / self.duration_s if self.duration_s else 0.0

    @property
    def drift_s(self) -> float:
        return self.media_since_start_s - self.wall_since_start_s


def sample_of(seen: SegmentSeen, status: Status) -> HealthSample:
    """The figures as they are published."""
    return HealthSample(
        sequence=seen.sequence,
        duration_ms=round(seen.duration_s * 1000),
        bitrate_kbps=round(seen.bitrate_kbps, 1),
        frame_rate=round(seen.frame_rate, 2),
        gop_ms=round(seen.keyframe_distance_s * 1000),
        av_skew_ms=round(seen.skew_s * 1000),
        dts_gaps=seen.gaps,
        drift_ms=round(seen.drift_s * 1000),
        status=status,
    )

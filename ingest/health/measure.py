"""From what was seen of a segment to its figures."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.health.metadata import Announced
from ingest.health.sample import HealthSample, Status


@dataclass(frozen=True)
class Look:
    """What decoding a little of a stream showed; None for what was not decoded."""

    loudness_dbfs: float | None = None
    """Root mean square of a slice of the sound, dB below full scale; -120 for digital silence."""
    brightness: float | None = None
    """2 % of the picture are brighter than this; 0 black to 255 white."""
    change: float | None = None
    """How much the 1 % of the picture that changed most did since the look before, in the same steps."""


@dataclass(frozen=True, kw_only=True)
class SegmentSeen:
    """What was counted while a segment was open. Times in seconds, sizes in bytes."""

    sequence: int
    duration_s: float
    wall_s: float
    """By our clock, from the segment's first frame to its last."""
    video_size: int
    audio_size: int
    video_frames: int
    audio_frames: int
    gop_min_s: float
    """Shortest distance between keyframes; 0 when none was complete."""
    gop_max_s: float
    """Longest one, a distance still open counted as far as it went."""
    gop_spread_s: float
    """Longest minus shortest complete distance of the last half minute or so."""
    b_frames: int
    """Most of them in a row."""
    skew_s: float
    """End of audio minus end of video."""
    gaps: int
    starved_s: float
    media_since_start_s: float
    wall_since_start_s: float
    width: int
    height: int
    declared_frame_rate: float
    """By the sequence parameter set; 0 when it does not say."""
    forced_cut: bool
    """The segment grew to its limit without a keyframe."""
    stored: bool
    """The disk takes segments."""
    bitrate_10s_kbps: float
    bitrate_60s_kbps: float
    announced: Announced
    look: Look

    @property
    def size(self) -> int:
        return self.video_size + self.audio_size

    @property
    def bitrate_kbps(self) -> float:
        return self.kbps(self.size)

    @property
    def pixels_per_s(self) -> float:
        return self.width * self.height * self.frame_rate

    @property
    def frame_rate(self) -> float:
        return self.video_frames / self.duration_s if self.duration_s else 0.0

    @property
    def drift_s(self) -> float:
        return self.media_since_start_s - self.wall_since_start_s

    def kbps(self, size: int) -> float:
        """Of `size` bytes over the segment's time."""
        return size * 8 / self.duration_s / 1000 if self.duration_s else 0.0


def sample_of(seen: SegmentSeen, status: Status) -> HealthSample:
    """The figures as they are published."""
    look = seen.look
    return HealthSample(
        sequence=seen.sequence,
        duration_ms=round(seen.duration_s * 1000),
        bitrate_kbps=round(seen.bitrate_kbps, 1),
        frame_rate=round(seen.frame_rate, 2),
        gop_ms=round(seen.gop_max_s * 1000),
        av_skew_ms=round(seen.skew_s * 1000),
        dts_gaps=seen.gaps,
        drift_ms=round(seen.drift_s * 1000),
        status=status,
        video_kbps=round(seen.kbps(seen.video_size), 1),
        audio_kbps=round(seen.kbps(seen.audio_size), 1),
        bitrate_10s_kbps=round(seen.bitrate_10s_kbps, 1),
        bitrate_60s_kbps=round(seen.bitrate_60s_kbps, 1),
        gop_min_ms=round(seen.gop_min_s * 1000),
        b_frames=seen.b_frames,
        starved_ms=round(seen.starved_s * 1000),
        width=seen.width,
        height=seen.height,
        loudness_dbfs=look.loudness_dbfs,
        brightness=look.brightness,
        picture_change=look.change,
    )

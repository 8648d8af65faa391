"""A segment of a stream that is well, and one that is not for each code."""

from __future__ import annotations

from dataclasses import replace

from ingest.health.measure import Look, SegmentSeen
from ingest.health.metadata import Announced

GOOD = SegmentSeen(
    sequence=0,
    duration_s=2.0,
    wall_s=2.0,
    video_size=593_000,
    audio_size=32_000,
    video_frames=60,
    audio_frames=94,
    gop_min_s=2.0,
    gop_max_s=2.0,
    gop_spread_s=0.0,
    b_frames=0,
    skew_s=0.01,
    gaps=0,
    starved_s=0.0,
    media_since_start_s=100.0,
    wall_since_start_s=100.1,
    width=1280,
    height=720,
    declared_frame_rate=30.0,
    forced_cut=False,
    stored=True,
    bitrate_10s_kbps=2500.0,
    bitrate_60s_kbps=2500.0,
    announced=Announced(width=1280, height=720, frame_rate=30.0, video_kbps=2400.0, audio_kbps=128.0),
    look=Look(loudness_dbfs=-20.0, brightness=180.0, change=12.0),
)
BAD = {
    "gopSizeLong": replace(GOOD, gop_max_s=5.0),
    "gopSizeOver": replace(GOOD, forced_cut=True),
    "gopIrregular": replace(GOOD, gop_spread_s=1.0),
    "bFramesPresent": replace(GOOD, b_frames=2),
    "bitrateLow": replace(GOOD, video_size=20_000, audio_size=5_000),
    "bitrateHigh": replace(GOOD, bitrate_10s_kbps=40_000.0),
    "frameRateMismatch": replace(GOOD, video_frames=40, announced=Announced()),
    "configuredBitrateMismatch": replace(GOOD, bitrate_60s_kbps=900.0),
    "configuredResolutionMismatch": replace(GOOD, announced=replace(GOOD.announced, width=1920, height=1080)),
    "configuredFrameRateMismatch": replace(GOOD, announced=replace(GOOD.announced, frame_rate=60.0)),
    "videoIngestionStarved": replace(GOOD, wall_s=3.0),
    "videoIngestionFasterThanRealtime": replace(GOOD, wall_s=1.0),
    "audioVideoSkew": replace(GOOD, skew_s=-0.8),
    "timestampGaps": replace(GOOD, gaps=2),
    "clockDrift": replace(GOOD, media_since_start_s=90.0),
    "noAudioStream": replace(GOOD, audio_frames=0),
    "noVideoStream": replace(GOOD, video_frames=0, width=0, height=0, declared_frame_rate=0.0),
    "silentAudio": replace(GOOD, look=replace(GOOD.look, loudness_dbfs=-120.0)),
    "blackPicture": replace(GOOD, look=replace(GOOD.look, brightness=16.0, change=0.0)),
    "frozenPicture": replace(GOOD, look=replace(GOOD.look, change=0.0)),
    "storageFailed": replace(GOOD, stored=False),
}
NOT_LOOKED = replace(GOOD, look=Look())

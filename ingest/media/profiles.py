"""The two ways to cut a stream into parts and segments."""

from __future__ import annotations

from ingest.hls.backlog import WindowLimits
from ingest.media.settings import MediaSettings
from topology.settings import HlsProfile

_TARGET_S = {HlsProfile.FAST: 4, HlsProfile.STRICT: 6}
_UNSTORED_TARGETS = {HlsProfile.FAST: 4, HlsProfile.STRICT: 7}
"""What is held in memory when the disk takes nothing: at least six segments (Apple 8.11)."""


def media_settings(profile: HlsProfile) -> MediaSettings:
    """How long parts and segments are. The hold-back is three parts in both (RFC 8216bis 4.4.3.8, Apple 14.3)."""
    if profile is HlsProfile.STRICT:
        # Apple's HLS authoring specification, 14.2c and 7.6.
        return MediaSettings(part_target_s=1.0, segment_min_s=6.0)
    return MediaSettings()


def window_limits(profile: HlsProfile, listed_s: float) -> WindowLimits:
    """The target duration (Apple 7.5), and what playlists list."""
    target_s = _TARGET_S[profile]
    return WindowLimits(listed_s=listed_s, target_s=target_s, unstored_s=float(target_s * _UNSTORED_TARGETS[profile]))

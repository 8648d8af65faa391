"""What a track is: everything that the init segment and the playlists need to know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VideoParameters:
    codec: str
    """RFC 6381 string."""
    width: int
    height: int
    frame_rate: float
    """Frames per second as the stream declares it; 0 when it does not."""
    entry: bytes
    """Sample entry type, such as `avc1`."""
    config_box: bytes
    """Type of the box with the decoder's configuration, such as `avcC`."""
    record: bytes
    """That box's body."""

    @property
    def plays_in_browsers(self) -> bool:
        """False for the H.264 profiles that no browser decodes: High 10, High 4:2:2, High 4:4:4 and their like."""
        return not self.codec.startswith(_UNPLAYABLE)


_UNPLAYABLE = ("avc1.6e", "avc1.7a", "avc1.f4", "avc1.2c")
"""Of `avc1.PPCCLL`, the profile (ISO 14496-10 A.2)."""


@dataclass(frozen=True)
class AudioParameters:
    codec: str
    """RFC 6381 string."""
    sample_rate: int
    """Of the core codec, Hz; the track's timescale."""
    channels: int
    frame_samples: int
    record: bytes
    """AudioSpecificConfig."""

"""What a live stream reports while media is pushed into it."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.health.sample import HealthSample, Status


@dataclass(frozen=True)
class MediaReady:
    """The first part can be played. Said once in a stream's life."""

    video_codec: str
    """RFC 6381 string such as `avc1.64001f`; empty without video."""
    audio_codec: str
    """RFC 6381 string such as `mp4a.40.2`; empty without audio."""
    width: int
    height: int
    frame_rate: float


@dataclass(frozen=True)
class SegmentClosed:
    """A segment is complete; this is what it measured."""

    sample: HealthSample


@dataclass(frozen=True)
class HealthBecame:
    """The status or its reasons changed."""

    previous: Status
    status: Status
    codes: tuple[str, ...]
    """Why, such as `gopSizeLong`; empty when ok."""


@dataclass(frozen=True)
class RenditionCame:
    """A rung of the ladder can be played."""

    name: str
    width: int
    height: int
    frame_rate: float
    bitrate_kbps: int
    """As set."""
    codec: str
    """RFC 6381 string."""


@dataclass(frozen=True)
class RenditionWent:
    """A rung of the ladder is not made at present."""

    name: str
    reason: str
    """`overloaded`, `worker_died`, or `replaced` when the source changed."""


Became = MediaReady | SegmentClosed | HealthBecame | RenditionCame | RenditionWent


class RefusedMedia(Exception):
    """The stream cannot be taken: the publisher is told `message`, the log says `code`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

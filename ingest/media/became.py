"""What a live stream reports while media is pushed into it."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.health.metadata import Announced
from ingest.health.sample import HealthSample, Severity, Status


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
    """Why, such as `gopSizeLong`, sorted; an info alone leaves the status ok."""
    severities: tuple[Severity, ...]
    """Of each code, in their order."""


@dataclass(frozen=True)
class StarvationBegan:
    """Media stopped keeping up with the clock."""

    behind_ms: int
    """So far."""


@dataclass(frozen=True)
class StarvationOver:
    """Media keeps up again, or the publisher is gone."""

    lasted_ms: int


@dataclass(frozen=True)
class EncoderSaid:
    """How the encoder is configured; said when it differs from what it said before."""

    announced: Announced


HealthReport = SegmentClosed | HealthBecame | StarvationBegan | StarvationOver | EncoderSaid
"""What is published of a stream's health."""

Became = MediaReady | HealthReport


class RefusedMedia(Exception):
    """The stream cannot be taken: the publisher is told `message`, the log says `code`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

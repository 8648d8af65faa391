"""The life of recordings and clips, on the topic of the stream they were made from.

A stream has at most one recording, and its id is the stream's.
"""

from __future__ import annotations

from dataclasses_avroschema import types
from pydantic import Field

from schemas.events.channels import PUBLIC
from schemas.events.streams import StreamEvent


class RecordingStarted(StreamEvent):
    """The first segment of a stream is kept for later: clips can be cut from now on."""

    node: str = Field(description="The ingest node that keeps it, and sees to it for as long as it lives.")
    playback_policy: str = Field(default=PUBLIC, description="Who may watch it and clips of it: the stream's.")


class RecordingPublished(StreamEvent):
    """Everything that was kept lies in the store and can be played."""

    node: str
    started_at: types.DateTimeMicro = Field(description="Of its first frame.")
    duration_ms: int = Field(description="Of the media, gaps included.")
    bytes: int = Field(description="Of all segments.")
    complete: bool = Field(description="False when segments are missing; the recording's manifest lists them.")
    playback_path: str = Field(description="Path of the multivariant playlist at the playback origin.")
    renditions: list[str] = Field(default_factory=list, description="Such as source, audio or 720p.")
    thumbnail_path: str = Field(
        default="", description="Path of its picture, with `{width}x{height}` to be replaced by a size in pixels."
    )


class RecordingDeleted(StreamEvent):
    """It cannot be played any more; its objects go soon after. Its clips stay."""

    node: str
    reason: str = Field(description="retention or owner.")


class ClipCreated(StreamEvent):
    """Somebody wants a stretch of a recording kept on its own; it can be played once ClipPublished says so."""

    clip_id: str
    creator_id: str
    node: str = Field(description="The recording's: it cuts the clip.")
    title: str
    duration_ms: int = Field(description="As asked for.")
    live: bool = Field(description="It is the live stream's last moments, and ends at occurred_at.")
    vod_offset_ms: int = Field(default=0, description="Where it starts in the recording's media time, unless live.")


class ClipPublished(StreamEvent):
    """A clip was cut and can be played."""

    clip_id: str
    vod_offset_ms: int = Field(description="Where it really starts: at a keyframe.")
    duration_ms: int = Field(description="How long it really is: whole segments.")
    playback_path: str = Field(description="Path of the multivariant playlist at the playback origin.")


class ClipDeleted(StreamEvent):
    """It cannot be played any more; its objects go soon after."""

    clip_id: str
    node: str
    reason: str = Field(description="owner, creator, or empty when nothing of that time was recorded.")

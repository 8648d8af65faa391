"""Commands on recordings and clips. The channel's streams decider knows them, so they go its way."""

from __future__ import annotations

from dataclasses_avroschema import types
from pydantic import Field

from schemas.commands.streams import StreamCommand
from schemas.events.channels import PUBLIC


class RecordingCommand(StreamCommand):
    """A recording's id is its stream's."""

    stream_id: str


class StartRecording(RecordingCommand):
    """Say that the first segment is kept."""

    node: str
    playback_policy: str = Field(default=PUBLIC, description="Who may watch: the stream's.")


class PublishRecording(RecordingCommand):
    """Say that all of it lies in the store."""

    node: str
    started_at: types.DateTimeMicro
    duration_ms: int
    bytes: int
    complete: bool
    playback_path: str
    renditions: list[str] = Field(default_factory=list)
    thumbnail_path: str = ""


class DeleteRecording(RecordingCommand):
    """Take a published recording away: `owner` or `retention`."""

    reason: str


class CreateClip(StreamCommand):
    """Cut a clip of the channel's live stream, or with a `vod_id` of that recording."""

    clip_id: str
    title: str
    duration_ms: int
    vod_id: str = ""
    vod_end_ms: int = Field(default=0, description="Where in the recording it ends, in its media time.")


class PublishClip(StreamCommand):
    """Say that a clip lies in the store, and what its bounds became."""

    clip_id: str
    vod_offset_ms: int
    duration_ms: int
    playback_path: str


class DeleteClip(StreamCommand):
    """Take a clip away: its creator, the channel's owner, or the node that found nothing to cut."""

    clip_id: str

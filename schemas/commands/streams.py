"""Commands on a channel's live stream. Key: channel id, so that one decider sees all of a channel's streams."""

from __future__ import annotations

from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.message import SECRET, Command


class StreamCommand(Command):
    topic: ClassVar[str] = "commands.streams"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str


class AuthorisePublish(StreamCommand):
    """Ask for the channel's place, or to stand by beside who holds it, showing a stream key's hash."""

    key_hash: str = Field(json_schema_extra=SECRET)
    session_id: str
    node: str
    stream_id: str = Field(description="The id to use unless a stream that exists is resumed or joined.")
    role: str = Field(default="primary", description="primary or backup.")


class StartStream(StreamCommand):
    """Say that media arrived."""

    stream_id: str
    session_id: str
    node: str
    playback_path: str
    video_codec: str = ""
    audio_codec: str = ""
    width: types.Int32 = 0
    height: types.Int32 = 0
    frame_rate: float = 0.0


class PublishThumbnail(StreamCommand):
    """Say that there is a first picture of the stream."""

    stream_id: str
    path: str = Field(description="As in ThumbnailPublished.")


class DisconnectPublisher(StreamCommand):
    """Say that a publisher is gone. One that was on the air may resume within the grace."""

    stream_id: str
    session_id: str
    reason: str


class SwitchIngest(StreamCommand):
    """Say that the stream goes on with the media of the session that stood by."""

    stream_id: str
    session_id: str = Field(description="The session on the air from now on.")
    reason: str


class EndStream(StreamCommand):
    """End the stream held by this session."""

    stream_id: str
    session_id: str
    reason: str

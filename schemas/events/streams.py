"""The life of a stream. Key: stream id; partition: the channel's, since one channel has one live stream."""

from __future__ import annotations

from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.events.channels import PUBLIC
from schemas.message import Event


class StreamEvent(Event):
    topic: ClassVar[str] = "streams"
    key_field: ClassVar[str] = "stream_id"
    stream_id: str
    channel_id: str


class PublishAuthorised(StreamEvent):
    """A publisher showed a valid key and holds the channel's only place."""

    session_id: str = Field(description="The RTMP session that holds the place.")
    node: str = Field(description="The ingest node that took it.")
    key_id: str
    resumed: bool = Field(description="True when it continues a stream within the grace.")
    playback_policy: str = Field(default=PUBLIC, description="Who may watch: the channel's policy as the stream began.")
    role: str = Field(default="primary", description="primary or backup, as the publisher said.")


class StreamStarted(StreamEvent):
    """The first media arrived and the stream can be played."""

    session_id: str
    node: str
    playback_path: str = Field(description="Path of the multivariant playlist at the playback origin.")
    title: str = ""
    category: str = ""
    language: str = ""
    video_codec: str = Field(default="", description="RFC 6381 string, such as avc1.64001f; empty without video.")
    audio_codec: str = Field(default="", description="RFC 6381 string, such as mp4a.40.2; empty without audio.")
    width: types.Int32 = Field(default=0, description="Pixels.")
    height: types.Int32 = Field(default=0, description="Pixels.")
    frame_rate: float = Field(default=0.0, description="Frames per second.")
    playback_policy: str = Field(default=PUBLIC, description="Who may watch: public, private or subscribers.")


class ThumbnailPublished(StreamEvent):
    """There is a first picture of the stream. Later ones replace it at the same path and are no events.

    One every ten seconds would be nearly all of this topic, which is kept forever, and say nothing new. When the
    pictures go, the stream has ended, which is an event already.
    """

    path: str = Field(
        description="Path at the playback origin, with `{width}x{height}` to be replaced by a size in pixels."
    )


class PublisherDisconnected(StreamEvent):
    """The publisher vanished without `deleteStream`; the grace runs."""

    session_id: str
    reason: str


class StandbyAuthorised(StreamEvent):
    """A second publisher, of the other role, was let in beside the one on the air; its media is ready, not shown."""

    session_id: str
    node: str
    key_id: str
    role: str = Field(description="primary or backup.")


class StandbyDisconnected(StreamEvent):
    """The publisher that stood by is gone; the stream goes on without one."""

    session_id: str
    reason: str


class IngestSwitched(StreamEvent):
    """The stream goes on with the other publisher's media, behind a discontinuity."""

    session_id: str = Field(description="The session on the air from now on.")
    from_role: str = Field(description="primary or backup: whose media was shown.")
    to_role: str = Field(description="Whose media is shown from now on.")
    reason: str = Field(description="lost, stalled, unpublished, refused_media or primary_back.")


class StreamEnded(StreamEvent):
    """The stream is over."""

    session_id: str
    reason: str = Field(
        description="unpublished, grace_expired, key_revoked, refused_media, ingest_lost, no_media or superseded."
    )

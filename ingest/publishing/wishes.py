"""The commands that a publish gives rise to. The session id is the correlation id of all of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypedDict

from commands.identity import channel_of_key, new_id, secret_hash
from ingest.desk import Role
from ingest.media.became import MediaReady
from ingest.publishing.journal import Entry
from schemas.commands.streams import (
    AuthorisePublish,
    DisconnectPublisher,
    EndStream,
    PublishThumbnail,
    StartStream,
    SwitchIngest,
)
from topology.playback_paths import playback_path, stream_prefix

ACTOR = "system:ingest"


class _Envelope(TypedDict):
    command_id: str
    issued_at: datetime
    actor: str
    correlation_id: str
    channel_id: str


class _Head(_Envelope):
    session_id: str


def _envelope(channel_id: str, session_id: str) -> _Envelope:
    return {
        "command_id": new_id(),
        "issued_at": datetime.now(UTC),
        "actor": ACTOR,
        "correlation_id": session_id,
        "channel_id": channel_id,
    }


def _head(channel_id: str, session_id: str) -> _Head:
    return {**_envelope(channel_id, session_id), "session_id": session_id}


def authorise(key: str, role: Role, session_id: str, node: str) -> AuthorisePublish:
    """Raises ValueError for what is no stream key."""
    head = _head(channel_of_key(key), session_id)
    return AuthorisePublish(**head, key_hash=secret_hash(key), node=node, stream_id=new_id(), role=role)


def start(entry: Entry, node: str, ready: MediaReady) -> StartStream:
    return StartStream(
        **_head(entry.channel_id, entry.session_id),
        stream_id=entry.stream_id,
        node=node,
        playback_path=playback_path(entry.stream_id, entry.playback_policy),
        video_codec=ready.video_codec,
        audio_codec=ready.audio_codec,
        width=ready.width,
        height=ready.height,
        frame_rate=ready.frame_rate,
    )


def publish_thumbnail(entry: Entry) -> PublishThumbnail:
    return PublishThumbnail(
        **_envelope(entry.channel_id, entry.session_id),
        stream_id=entry.stream_id,
        path=f"{stream_prefix(entry.stream_id, entry.playback_policy)}thumbnail-{{width}}x{{height}}.jpg",
    )


def disconnect(entry: Entry, reason: str) -> DisconnectPublisher:
    return DisconnectPublisher(**_head(entry.channel_id, entry.session_id), stream_id=entry.stream_id, reason=reason)


def switch(entry: Entry, reason: str) -> SwitchIngest:
    return SwitchIngest(**_head(entry.channel_id, entry.session_id), stream_id=entry.stream_id, reason=reason)


def end(entry: Entry, reason: str) -> EndStream:
    return EndStream(**_head(entry.channel_id, entry.session_id), stream_id=entry.stream_id, reason=reason)

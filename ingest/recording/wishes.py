"""The commands that recordings give rise to. Each has an id of its own making, so that saying it again is harmless."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from commands.identity import command_id_of
from ingest.recording.manifest import Manifest
from ingest.recording.objects import thumbnail_path
from schemas.commands.recordings import DeleteClip, DeleteRecording, PublishClip, PublishRecording, StartRecording
from topology.playback_paths import recording_path

ACTOR = "system:ingest"
RETENTION = "retention"


def _head(name: str, about: str, channel_id: str) -> dict[str, Any]:
    return {
        "command_id": command_id_of(ACTOR, name, about),
        "issued_at": datetime.now(UTC),
        "actor": ACTOR,
        "correlation_id": about,
        "channel_id": channel_id,
    }


def start(stream_id: str, channel_id: str, playback_policy: str, node: str) -> StartRecording:
    head = _head("StartRecording", stream_id, channel_id)
    return StartRecording(**head, stream_id=stream_id, node=node, playback_policy=playback_policy)


def publish(manifest: Manifest, node: str) -> PublishRecording:
    """The manifest must not be empty."""
    path = recording_path(manifest.id, manifest.playback_policy)
    return PublishRecording(
        **_head("PublishRecording", manifest.id, manifest.channel_id),
        stream_id=manifest.id,
        node=node,
        started_at=datetime.fromtimestamp(manifest.started_at_s, UTC),
        duration_ms=round(manifest.duration_s * 1000),
        bytes=manifest.size,
        complete=manifest.complete,
        playback_path=path,
        renditions=[track.name for track in manifest.tracks],
        thumbnail_path=thumbnail_path(path) if manifest.cover else "",
    )


def delete(stream_id: str, channel_id: str) -> DeleteRecording:
    """Because its time is over."""
    return DeleteRecording(**_head("DeleteRecording", stream_id, channel_id), stream_id=stream_id, reason=RETENTION)


def publish_clip(clip: Manifest, offset_s: float) -> PublishClip:
    return PublishClip(
        **_head("PublishClip", clip.id, clip.channel_id),
        clip_id=clip.id,
        vod_offset_ms=round(offset_s * 1000),
        duration_ms=round(clip.duration_s * 1000),
        playback_path=recording_path(clip.id, clip.playback_policy),
    )


def delete_clip(clip_id: str, channel_id: str) -> DeleteClip:
    """Because there is nothing to cut."""
    return DeleteClip(**_head("DeleteClip", clip_id, channel_id), clip_id=clip_id)

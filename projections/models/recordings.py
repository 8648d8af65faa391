"""Recordings and clips: a part of the streams model, since their events stand on its topic."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from projections.contract import Fields
from projections.tables import Change, Table

VIDEOS = Table(
    "videos",
    {
        "stream_id": "text",
        "channel_id": "text",
        "created_at": "timestamptz",
        "published_at": "timestamptz",
        "started_at": "timestamptz",
        "duration_ms": "bigint",
        "bytes": "bigint",
        "complete": "boolean",
        "playback_path": "text",
        "renditions": "text[]",
        "thumbnail_path": "text",
    },
    indexes=("(channel_id, published_at DESC) WHERE published_at IS NOT NULL",),
)
"""Recordings; one that is not published yet has a time of making only."""

CLIPS = Table(
    "clips",
    {
        "clip_id": "text",
        "channel_id": "text",
        "stream_id": "text",
        "creator_id": "text",
        "title": "text",
        "created_at": "timestamptz",
        "published_at": "timestamptz",
        "vod_offset_ms": "bigint",
        "duration_ms": "int",
        "playback_path": "text",
    },
    indexes=("(channel_id, created_at DESC) WHERE published_at IS NOT NULL",),
)
"""A clip that is not published yet is not cut yet."""

_PUBLISHED_FACTS = ("started_at", "duration_ms", "bytes", "complete", "playback_path", "renditions", "thumbnail_path")
_RECORDING_STARTED = frozenset({"channel_id", "created_at"})
_RECORDING_PUBLISHED = frozenset({"channel_id", "published_at", *_PUBLISHED_FACTS})
_CREATED_FACTS = ("channel_id", "stream_id", "creator_id", "title")
_CLIP_CREATED = frozenset({*_CREATED_FACTS, "created_at"})
_CLIPPED_FACTS = ("vod_offset_ms", "duration_ms", "playback_path")
_CLIP_PUBLISHED = frozenset({"channel_id", "stream_id", "published_at", *_CLIPPED_FACTS})


def _recording_started(e: Fields) -> Change:
    ids = {"stream_id": e["stream_id"], "channel_id": e["channel_id"]}
    return VIDEOS.row(_RECORDING_STARTED, **ids, created_at=e["occurred_at"])


def _recording_published(e: Fields) -> Change:
    ids = {"stream_id": e["stream_id"], "channel_id": e["channel_id"]}
    facts = {name: e[name] for name in _PUBLISHED_FACTS}
    return VIDEOS.row(_RECORDING_PUBLISHED, **ids, published_at=e["occurred_at"], **facts)


def _recording_deleted(e: Fields) -> Change:
    return VIDEOS.delete(e["stream_id"])


def _clip_created(e: Fields) -> Change:
    facts = {name: e[name] for name in _CREATED_FACTS}
    return CLIPS.row(_CLIP_CREATED, clip_id=e["clip_id"], created_at=e["occurred_at"], **facts)


def _clip_published(e: Fields) -> Change:
    facts = {name: e[name] for name in ("channel_id", "stream_id", *_CLIPPED_FACTS)}
    return CLIPS.row(_CLIP_PUBLISHED, clip_id=e["clip_id"], published_at=e["occurred_at"], **facts)


def _clip_deleted(e: Fields) -> Change:
    return CLIPS.delete(e["clip_id"])


TABLES = (VIDEOS, CLIPS)

ON: Mapping[str, Callable[[Fields], Change]] = {
    "RecordingStarted": _recording_started,
    "RecordingPublished": _recording_published,
    "RecordingDeleted": _recording_deleted,
    "ClipCreated": _clip_created,
    "ClipPublished": _clip_published,
    "ClipDeleted": _clip_deleted,
}

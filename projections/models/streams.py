"""Streams, from the authorised publisher to the end. The status follows from which of its times are set.

`on_air` and `standby` say which publishers there are, primary or backup, and whose media is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projections.contract import Fields
from projections.models import recordings
from projections.tables import Change, Model, Shape, Table

_STATUS = (
    "CASE WHEN ended_at IS NOT NULL THEN 'ended' WHEN disconnected_at IS NOT NULL THEN 'disconnected' "
    "WHEN started_at IS NOT NULL THEN 'live' ELSE 'authorised' END"
)

STREAMS = Table(
    "streams",
    {
        "stream_id": "text",
        "channel_id": "text",
        "session_id": "text",
        "on_air": "text",
        "standby": "text",
        "node": "text",
        "playback_path": "text",
        "thumbnail_path": "text",
        "playback_policy": "text",
        "title": "text",
        "category": "text",
        "language": "text",
        "video_codec": "text",
        "audio_codec": "text",
        "width": "int",
        "height": "int",
        "frame_rate": "float8",
        "started_at": "timestamptz",
        "disconnected_at": "timestamptz",
        "ended_at": "timestamptz",
        "end_reason": "text",
    },
    once=frozenset({"started_at", "ended_at", "end_reason"}),
    computed={"status": _STATUS},
    indexes=(
        "(channel_id, started_at DESC)",
        f"(({_STATUS}), started_at DESC) WHERE ended_at IS NULL",
    ),
)

RENDITIONS = Table(
    "stream_renditions",
    {
        "stream_id": "text",
        "rendition": "text",
        "channel_id": "text",
        "width": "int",
        "height": "int",
        "frame_rate": "float8",
        "bitrate_kbps": "int",
        "codec": "text",
        "added_at": "timestamptz",
        "dropped_at": "timestamptz",
        "drop_reason": "text",
    },
    key_width=2,
)
"""The rungs of each stream's ladder, as last added or dropped; those not dropped can be played while it is live."""

_EMPTY: Mapping[str, Any] = {
    name: None if name in STREAMS.once else {"text": "", "int": 0, "float8": 0.0}.get(kind)
    for name, kind in STREAMS.columns.items()
}

_STARTED_FACTS = (
    "channel_id",
    "session_id",
    "node",
    "playback_path",
    "playback_policy",
    "title",
    "category",
    "language",
    "video_codec",
    "audio_codec",
    "width",
    "height",
    "frame_rate",
)

_AUTHORISED = frozenset({"channel_id", "session_id", "on_air", "standby", "node", "disconnected_at"})
_STANDBY = frozenset({"standby"})
_STARTED = frozenset({*_STARTED_FACTS, "started_at", "disconnected_at"})
_PICTURED = frozenset({"thumbnail_path"})
_DISCONNECTED = frozenset({"disconnected_at"})
_SWITCHED = frozenset({"session_id", "on_air", "standby", "disconnected_at"})
_ENDED = frozenset({"ended_at", "end_reason"})


def _change(e: Fields, sets: Shape, **values: object) -> Change:
    row = {**_EMPTY, "stream_id": e["stream_id"], "channel_id": e["channel_id"], **values}
    return Change(STREAMS, tuple(row.values()), sets)


def _publish_authorised(e: Fields) -> Change:
    return _change(e, _AUTHORISED, session_id=e["session_id"], node=e["node"], on_air=e["role"])


def _stream_started(e: Fields) -> Change:
    return _change(e, _STARTED, started_at=e["occurred_at"], **{name: e[name] for name in _STARTED_FACTS})


def _thumbnail_published(e: Fields) -> Change:
    return _change(e, _PICTURED, thumbnail_path=e["path"])


def _publisher_disconnected(e: Fields) -> Change:
    return _change(e, _DISCONNECTED, session_id=e["session_id"], disconnected_at=e["occurred_at"])


def _ingest_switched(e: Fields) -> Change:
    return _change(e, _SWITCHED, session_id=e["session_id"], on_air=e["to_role"], standby=e["from_role"])


def _standby_authorised(e: Fields) -> Change:
    return _change(e, _STANDBY, standby=e["role"])


def _standby_disconnected(e: Fields) -> Change:
    return _change(e, _STANDBY)


def _stream_ended(e: Fields) -> Change:
    return _change(e, _ENDED, session_id=e["session_id"], ended_at=e["occurred_at"], end_reason=e["reason"])


_RENDITION_FACTS = ("stream_id", "rendition", "channel_id", "width", "height", "frame_rate", "bitrate_kbps", "codec")


def _rendition_added(e: Fields) -> Change:
    row = (*(e[name] for name in _RENDITION_FACTS), e["occurred_at"], None, None)
    return Change(RENDITIONS, row, frozenset(RENDITIONS.columns) - {"stream_id", "rendition"})


def _rendition_dropped(e: Fields) -> Change:
    row = (*(e[name] for name in _RENDITION_FACTS), None, e["occurred_at"], e["reason"])
    return Change(RENDITIONS, row, frozenset({"dropped_at", "drop_reason"}))


MODEL = Model(
    name="streams",
    topic="streams",
    tables=(STREAMS, RENDITIONS, *recordings.TABLES),
    on={
        "PublishAuthorised": _publish_authorised,
        "StreamStarted": _stream_started,
        "ThumbnailPublished": _thumbnail_published,
        "PublisherDisconnected": _publisher_disconnected,
        "StandbyAuthorised": _standby_authorised,
        "StandbyDisconnected": _standby_disconnected,
        "IngestSwitched": _ingest_switched,
        "StreamEnded": _stream_ended,
        "RenditionAdded": _rendition_added,
        "RenditionDropped": _rendition_dropped,
        **recordings.ON,
    },
    revision=5,
)

"""How streams did: a row per segment, per change of status, per start and end of a starvation, per encoder's word."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from projections.contract import Fields
from projections.tables import INSERT, Change, Model, Table

SAMPLES = Table(
    "health_samples",
    {
        "event_id": "text",
        "stream_id": "text",
        "channel_id": "text",
        "sequence": "int",
        "sampled_at": "timestamptz",
        "duration_ms": "int",
        "bitrate_kbps": "float8",
        "frame_rate": "float8",
        "gop_ms": "int",
        "av_skew_ms": "int",
        "dts_gaps": "int",
        "drift_ms": "int",
        "status": "text",
        "video_kbps": "float8",
        "audio_kbps": "float8",
        "bitrate_10s_kbps": "float8",
        "bitrate_60s_kbps": "float8",
        "gop_min_ms": "int",
        "b_frames": "int",
        "starved_ms": "int",
        "width": "int",
        "height": "int",
        "loudness_dbfs": "float8",
        "brightness": "float8",
        "picture_change": "float8",
    },
    append_only=True,
    since="sampled_at",
    indexes=("(stream_id, sampled_at DESC)",),
)
CHANGES = Table(
    "health_changes",
    {
        "event_id": "text",
        "stream_id": "text",
        "channel_id": "text",
        "changed_at": "timestamptz",
        "status": "text",
        "previous": "text",
        "codes": "text[]",
        "severities": "text[]",
    },
    append_only=True,
    since="changed_at",
    indexes=("(stream_id, changed_at DESC)",),
)
STARVATIONS = Table(
    "health_starvations",
    {
        "event_id": "text",
        "stream_id": "text",
        "channel_id": "text",
        "noticed_at": "timestamptz",
        "starving": "bool",
        "ms": "int",
    },
    append_only=True,
    since="noticed_at",
    indexes=("(stream_id, noticed_at DESC)",),
)
"""`ms` is how far media was behind at a start, and how long it all lasted at an end."""

ENCODERS = Table(
    "health_encoders",
    {
        "event_id": "text",
        "stream_id": "text",
        "channel_id": "text",
        "announced_at": "timestamptz",
        "encoder": "text",
        "video_codec_id": "text",
        "audio_codec_id": "text",
        "configured_width": "int",
        "configured_height": "int",
        "configured_frame_rate": "float8",
        "configured_video_kbps": "float8",
        "configured_audio_kbps": "float8",
    },
    append_only=True,
    since="announced_at",
    indexes=("(stream_id, announced_at DESC)",),
)


def _fields_of(table: Table) -> Callable[[Fields], tuple[Any, ...]]:
    """Columns are named as the event's fields, but for the time."""
    return itemgetter(*("occurred_at" if name == table.since else name for name in table.columns))


_sample, _change, _encoder = _fields_of(SAMPLES), _fields_of(CHANGES), _fields_of(ENCODERS)


def _health_sampled(e: Fields) -> Change:
    return Change(SAMPLES, _sample(e), INSERT)


def _health_changed(e: Fields) -> Change:
    return Change(CHANGES, _change(e), INSERT)


def _starvation(e: Fields, starving: bool, ms: int) -> Change:
    row = (e["event_id"], e["stream_id"], e["channel_id"], e["occurred_at"], starving, ms)
    return Change(STARVATIONS, row, INSERT)


def _starvation_started(e: Fields) -> Change:
    return _starvation(e, True, e["behind_ms"])


def _starvation_ended(e: Fields) -> Change:
    return _starvation(e, False, e["lasted_ms"])


def _encoder_announced(e: Fields) -> Change:
    return Change(ENCODERS, _encoder(e), INSERT)


MODEL = Model(
    name="stream-health",
    topic="stream-health",
    tables=(SAMPLES, CHANGES, STARVATIONS, ENCODERS),
    on={
        "HealthSampled": _health_sampled,
        "HealthChanged": _health_changed,
        "StarvationStarted": _starvation_started,
        "StarvationEnded": _starvation_ended,
        "EncoderAnnounced": _encoder_announced,
    },
    revision=2,
)

"""How streams did: one row per segment, and one per change of status."""

from __future__ import annotations

from operator import itemgetter

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
    },
    append_only=True,
    since="changed_at",
    indexes=("(stream_id, changed_at DESC)",),
)

_sample = itemgetter(*("occurred_at" if name == "sampled_at" else name for name in SAMPLES.columns))
_changed = itemgetter(*("occurred_at" if name == "changed_at" else name for name in CHANGES.columns))


def _health_sampled(e: Fields) -> Change:
    return Change(SAMPLES, _sample(e), INSERT)


def _health_changed(e: Fields) -> Change:
    return Change(CHANGES, _changed(e), INSERT)


MODEL = Model(
    name="stream-health",
    topic="stream-health",
    tables=(SAMPLES, CHANGES),
    on={"HealthSampled": _health_sampled, "HealthChanged": _health_changed},
)

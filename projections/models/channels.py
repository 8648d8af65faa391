"""What a channel says of itself. A channel without an update has no row: readers default to empty values."""

from __future__ import annotations

from projections.contract import Fields
from projections.tables import REPLACE, Change, Model, Table

CHANNELS = Table(
    "channels",
    {"channel_id": "text", "title": "text", "category": "text", "language": "text", "updated_at": "timestamptz"},
)


def _channel_updated(e: Fields) -> Change:
    return Change(CHANNELS, (e["channel_id"], e["title"], e["category"], e["language"], e["occurred_at"]), REPLACE)


MODEL = Model(name="channels", topic="channels", tables=(CHANNELS,), on={"ChannelUpdated": _channel_updated})

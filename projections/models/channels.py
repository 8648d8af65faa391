"""What a channel says of itself. A channel without an update has no row: readers default to empty values."""

from __future__ import annotations

from projections.contract import Fields
from projections.tables import REPLACE, Change, Model, Table

CHANNELS = Table(
    "channels",
    {
        "channel_id": "text",
        "title": "text",
        "category": "text",
        "language": "text",
        "playback_policy": "text",
        "updated_at": "timestamptz",
    },
)


def _channel_updated(e: Fields) -> Change:
    row = (e["channel_id"], e["title"], e["category"], e["language"], e["playback_policy"], e["occurred_at"])
    return Change(CHANNELS, row, REPLACE)


MODEL = Model(
    name="channels", topic="channels", tables=(CHANNELS,), on={"ChannelUpdated": _channel_updated}, revision=2
)

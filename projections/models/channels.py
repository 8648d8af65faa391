"""A channel: what it says of itself, who helps to run it, how its chat is run, and what its moderators did.

A channel without an update has no row: readers default to empty values.
"""

from __future__ import annotations

from projections.contract import Fields
from projections.models import actions, chat_policy, moderation
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
    name="channels",
    topic="channels",
    tables=(CHANNELS, *moderation.TABLES, *chat_policy.TABLES, actions.CHANNEL_ACTIONS),
    on={"ChannelUpdated": _channel_updated, **moderation.ON, **chat_policy.ON},
    log=actions.LOG,
    revision=3,
)

"""The read models in Postgres, one module per topic."""

from __future__ import annotations

from projections.models import accounts, channels, chat, follows, playback, stream_health, streams, support
from projections.tables import Model

MODELS: tuple[Model, ...] = (
    accounts.MODEL,
    channels.MODEL,
    streams.MODEL,
    stream_health.MODEL,
    follows.MODEL,
    chat.MODEL,
    support.MODEL,
    playback.MODEL,
)

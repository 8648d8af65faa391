"""One module per resource: its models, its queries, its handlers and its rows of the route table."""

from __future__ import annotations

from typing import Any

from query_api.endpoint import Endpoint
from query_api.endpoints import (
    accounts,
    channels,
    chat,
    clips,
    donations,
    followers,
    playback,
    playback_tokens,
    stream_health,
    stream_keys,
    streams,
    tokens,
    users,
    videos,
)

ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (
    *accounts.ENDPOINTS,
    *tokens.ENDPOINTS,
    *users.ENDPOINTS,
    *channels.ENDPOINTS,
    *followers.ENDPOINTS,
    *streams.ENDPOINTS,
    *playback_tokens.ENDPOINTS,
    *stream_keys.ENDPOINTS,
    *stream_health.ENDPOINTS,
    *videos.ENDPOINTS,
    *clips.ENDPOINTS,
    *chat.ENDPOINTS,
    *donations.ENDPOINTS,
    *playback.ENDPOINTS,
)
"""The route table."""

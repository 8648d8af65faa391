"""Who may read over REST what was said in a channel: whoever may be in its room."""

from __future__ import annotations

from typing import Any

from query_api.endpoint import Call
from query_api.errors import ApiError
from query_api.watching import REFUSALS, may_watch

_ROOM = """
SELECT playback_policy, EXISTS (SELECT FROM channel_roles WHERE channel_id = $1 AND user_id = $2) AS helps,
       EXISTS (SELECT FROM subscriptions WHERE channel_id = $1 AND subscriber_id = $2) AS subscribes
FROM channels WHERE channel_id = $1
"""


async def require_open(call: Call[Any, Any], channel_id: str) -> None:
    """Raises ApiError 403."""
    user_id = call.session.user_id if call.session else ""
    room = await call.services.database.row(_ROOM, channel_id, user_id)
    if room is None or room["helps"]:
        return
    policy = room["playback_policy"]
    if not may_watch(user_id, channel_id, policy, subscribes=room["subscribes"]):
        raise ApiError(403, REFUSALS[policy], policy)

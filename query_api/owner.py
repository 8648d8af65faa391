"""Who may do what to whose things."""

from __future__ import annotations

from typing import Any

from query_api.endpoint import Call
from query_api.errors import ApiError
from query_api.sessions import Session


def require_owner(call: Call[Any, Any], user_id: str, field: str = "broadcaster_id") -> Session:
    """The token's user, who must be the one that the field names. Raises ApiError 403."""
    user = call.user
    if user_id != user.user_id:
        raise ApiError(403, f"{field}: must be the token's user, {user.user_id}.")
    return user

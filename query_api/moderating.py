"""What endpoints of moderators have in common: who asks, for which channel, and how a command is carried out."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from commands.client import Accepted
from query_api.endpoint import Answer, Call
from query_api.errors import ApiError
from query_api.fields import UserId
from query_api.owner import require_owner
from query_api.services import Services
from query_api.sessions import Session
from schemas.message import Command

_MODERATES = "SELECT FROM channel_roles WHERE channel_id = $1 AND role = 'moderator' AND user_id = $2"


class ModeratorQuery(BaseModel):
    """Which channel, and which of its moderators asks."""

    broadcaster_id: UserId
    moderator_id: UserId = Field(description="The token's user: the channel's owner or one of its moderators.")


async def moderates(services: Services, channel_id: str, user_id: str) -> bool:
    """Whether the user owns or moderates the channel, as far as the read model knows."""
    return user_id == channel_id or await services.database.row(_MODERATES, channel_id, user_id) is not None


async def require_moderator(call: Call[Any, Any], channel_id: str) -> Session:
    """The token's user, who must own or moderate the channel. Raises ApiError 403."""
    user = call.user
    if not await moderates(call.services, channel_id, user.user_id):
        raise ApiError(403, "Only the channel's owner and its moderators may see this.", "unauthorised")
    return user


async def reader(call: Call[Any, Any]) -> Session:
    """The moderator whom a `ModeratorQuery` names, for reads. Raises ApiError 403."""
    require_owner(call, call.query.moderator_id, "moderator_id")
    return await require_moderator(call, call.query.broadcaster_id)


def actor(call: Call[Any, Any]) -> Session:
    """The moderator whom a `ModeratorQuery` names, for writes: whether he may, the decider knows. Raises ApiError."""
    return require_owner(call, call.query.moderator_id, "moderator_id")


async def submit(call: Call[Any, Any], scope: str, command: type[Command], **fields: Any) -> Accepted:
    """Submit a command of the token's user on `channel_id`; `scope` is the method and path. Raises ApiError."""
    envelope = call.envelope(call.user.user_id, f"{scope} {fields['channel_id']}")
    return await call.services.gateway.submit(command(**fields, **envelope))


async def carry_out(call: Call[Any, Any], scope: str, command: type[Command], **fields: Any) -> Answer:
    """The same where nothing is answered but that it is done."""
    accepted = await submit(call, scope, command, **fields)
    return Answer(consistency=accepted.token)


async def settle(call: Call[Any, Any], accepted: Accepted) -> None:
    """Wait until the read models show what was done, so that they can be answered from. Raises ApiError 503."""
    if accepted.token is not None:
        await call.services.consistency.wait(accepted.token)

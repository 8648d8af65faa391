"""The shield: the strict policy for a raid of strangers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.moderating import ModeratorQuery, actor, reader, settle, submit
from query_api.pages import Listing
from schemas.commands.chat_policy import SetShieldMode

PATH = "/helix/moderation/shield_mode"
SCOPE = "moderator:manage:shield_mode"

_SQL = """
SELECT s.active AS is_active, coalesce(s.moderator_id, '') AS moderator_id, coalesce(u.login, '') AS moderator_login,
       coalesce(u.display_name, '') AS moderator_name, s.last_activated_at
FROM shield_modes s LEFT JOIN users u ON u.user_id = s.moderator_id
WHERE s.channel_id = $1
"""


class NewShieldMode(Body):
    """Up or down."""

    is_active: bool


class ShieldMode(BaseModel):
    """Helix's fields. The moderator is who raised it last."""

    is_active: bool = False
    moderator_id: str = ""
    moderator_login: str = ""
    moderator_name: str = ""
    last_activated_at: datetime | None = Field(default=None, description="Null when it never was.")


async def get_shield_mode(call: Call[ModeratorQuery, Nothing]) -> Answer:
    await reader(call)
    return await _shield(call)


async def set_shield_mode(call: Call[ModeratorQuery, NewShieldMode]) -> Answer:
    actor(call)
    channel_id = call.query.broadcaster_id
    accepted = await submit(call, f"PUT {PATH}", SetShieldMode, channel_id=channel_id, active=call.body.is_active)
    await settle(call, accepted)
    answer = await _shield(call)
    return Answer(answer.model, accepted.token)


async def _shield(call: Call[ModeratorQuery, Any]) -> Answer:
    row = await call.services.database.row(_SQL, call.query.broadcaster_id)
    return Answer(Listing[ShieldMode](data=[ShieldMode(**row) if row else ShieldMode()]))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=PATH,
        tag="Moderation",
        summary="Get whether the shield is up",
        handler=get_shield_mode,
        query=ModeratorQuery,
        body=Nothing,
        answer=Listing[ShieldMode],
        scope="moderator:read:shield_mode",
        or_scopes=(SCOPE,),
    ),
    Endpoint(
        method="PUT",
        path=PATH,
        tag="Moderation",
        summary="Raise or lower the shield",
        handler=set_shield_mode,
        query=ModeratorQuery,
        body=NewShieldMode,
        answer=Listing[ShieldMode],
        scope=SCOPE,
        mutates=True,
        rejections=(404,),
    ),
)

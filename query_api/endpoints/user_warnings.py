"""Warnings: who was warned says nothing more before having read why."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.fields import Line, UserId
from query_api.moderating import ModeratorQuery, actor, carry_out, submit
from query_api.pages import Listing
from schemas.commands.moderation import AcknowledgeWarning, WarnUser

PATH = "/helix/moderation/warnings"

_SQL = """
SELECT channel_id AS broadcaster_id, user_id, reason, warned_at FROM warnings
WHERE channel_id = $1 AND user_id = $2 AND warned_at IS NOT NULL AND acknowledged_at IS NULL
"""


class WarningWish(Body):
    """Whom, and why."""

    user_id: UserId
    reason: Annotated[Line, Field(min_length=1, max_length=500)]


class NewWarning(Body):
    """In Helix's envelope."""

    data: WarningWish


class MadeWarning(BaseModel):
    """Helix's fields."""

    broadcaster_id: str
    user_id: str
    moderator_id: str
    reason: str


class OwnWarningQuery(BaseModel):
    """In which channel. The warned is the token's user."""

    broadcaster_id: UserId


class OwnWarning(BaseModel):
    """A warning that is not acknowledged yet."""

    broadcaster_id: str
    user_id: str
    reason: str
    warned_at: datetime


async def warn_user(call: Call[ModeratorQuery, NewWarning]) -> Answer:
    moderator, channel_id, wish = actor(call), call.query.broadcaster_id, call.body.data
    accepted = await submit(
        call, f"POST {PATH}", WarnUser, channel_id=channel_id, target_id=wish.user_id, reason=wish.reason
    )
    made = MadeWarning(
        broadcaster_id=channel_id, user_id=wish.user_id, moderator_id=moderator.user_id, reason=wish.reason
    )
    return Answer(Listing[MadeWarning](data=[made]), accepted.token)


async def get_own_warning(call: Call[OwnWarningQuery, Nothing]) -> Answer:
    rows = await call.services.database.rows(_SQL, call.query.broadcaster_id, call.user.user_id)
    return Answer(Listing[OwnWarning](data=[OwnWarning(**row) for row in rows]))


async def acknowledge_warning(call: Call[OwnWarningQuery, Nothing]) -> Answer:
    return await carry_out(call, f"PATCH {PATH}", AcknowledgeWarning, channel_id=call.query.broadcaster_id)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path=PATH,
        tag="Moderation",
        summary="Warn a user",
        handler=warn_user,
        query=ModeratorQuery,
        body=NewWarning,
        answer=Listing[MadeWarning],
        scope="moderator:manage:warnings",
        mutates=True,
        rejections=(404,),
    ),
    Endpoint(
        method="GET",
        path=PATH,
        tag="Moderation",
        summary="Get one's own warning",
        description="Where there is one that was not acknowledged. Not in Helix.",
        handler=get_own_warning,
        query=OwnWarningQuery,
        body=Nothing,
        answer=Listing[OwnWarning],
        scope="user:write:chat",
    ),
    Endpoint(
        method="PATCH",
        path=PATH,
        tag="Moderation",
        summary="Acknowledge one's own warning",
        description="After it one may speak again. Not in Helix.",
        handler=acknowledge_warning,
        query=OwnWarningQuery,
        body=Nothing,
        status=204,
        scope="user:write:chat",
        mutates=True,
        rejections=(404,),
    ),
)

"""Announcements: messages of moderators that stand out."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from query_api.endpoint import Answer, Body, Call, Endpoint
from query_api.moderating import ModeratorQuery, actor, carry_out
from schemas.commands.chat import Announce

PATH = "/helix/chat/announcements"


class Announcement(Body):
    """What to announce."""

    message: str = Field(min_length=1, description="At most 500 characters.")
    color: Literal["blue", "green", "orange", "purple", "primary"] = "primary"


async def announce(call: Call[ModeratorQuery, Announcement]) -> Answer:
    user = actor(call)
    return await carry_out(
        call,
        f"POST {PATH}",
        Announce,
        channel_id=call.query.broadcaster_id,
        sender_login=user.login,
        sender_name=user.display_name,
        text=call.body.message,
        colour=call.body.color,
    )


ENDPOINTS = (
    Endpoint(
        method="POST",
        path=PATH,
        tag="Chat",
        summary="Announce something",
        handler=announce,
        query=ModeratorQuery,
        body=Announcement,
        status=204,
        scope="moderator:manage:announcements",
        mutates=True,
        rejections=(404, 422),
    ),
)

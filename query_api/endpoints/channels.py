"""What channels say of themselves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.fields import Line, UserId
from query_api.owner import require_owner
from query_api.pages import Listing
from schemas.commands.channels import UpdateChannel

_SQL = """
SELECT u.user_id AS broadcaster_id, u.login AS broadcaster_login, u.display_name AS broadcaster_name,
       coalesce(c.title, '') AS title, coalesce(c.language, '') AS broadcaster_language,
       coalesce(c.category, '') AS game_id, coalesce(c.category, '') AS game_name,
       coalesce(c.playback_policy, 'public') AS playback_policy
FROM users u LEFT JOIN channels c ON c.channel_id = u.user_id
WHERE u.user_id = ANY($1::text[])
ORDER BY u.user_id
"""


class ChannelsQuery(BaseModel):
    """Which channels."""

    broadcaster_id: list[UserId] = Field(min_length=1, max_length=100)


class Channel(BaseModel):
    """Helix's fields. A category is known by its name, which is also its id."""

    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str
    broadcaster_language: str
    game_id: str
    game_name: str
    title: str
    delay: int = 0
    tags: list[str] = []
    content_classification_labels: list[str] = []
    is_branded_content: bool = False
    playback_policy: str = Field(description="Who may watch: public, private or subscribers.")


class ChannelQuery(BaseModel):
    """The token's own channel."""

    broadcaster_id: UserId


class ChannelChange(Body):
    """What is left out stays as it is."""

    title: Annotated[Line, Field(min_length=1, max_length=140)] | None = None
    game_id: Annotated[Line, Field(max_length=100)] | None = Field(
        default=None, description="The category's name; empty for none."
    )
    broadcaster_language: str | None = Field(
        default=None, pattern=r"^([a-z]{2}|other)$", description="ISO 639-1, or other."
    )

    playback_policy: Literal["public", "private", "subscribers"] | None = Field(
        default=None, description="Who may watch, from the next stream on."
    )

    @model_validator(mode="after")
    def _changes_something(self) -> ChannelChange:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError(f"give at least one of {', '.join(type(self).model_fields)}")
        return self


async def list_channels(call: Call[ChannelsQuery, Nothing]) -> Answer:
    rows = await call.services.database.rows(_SQL, call.query.broadcaster_id)
    return Answer(Listing[Channel](data=[Channel(**row) for row in rows]))


async def change_channel(call: Call[ChannelQuery, ChannelChange]) -> Answer:
    user = require_owner(call, call.query.broadcaster_id)
    accepted = await call.services.gateway.submit(
        UpdateChannel(
            channel_id=user.user_id,
            title=call.body.title,
            category=call.body.game_id,
            language=call.body.broadcaster_language,
            playback_policy=call.body.playback_policy,
            **call.envelope(user.user_id, "PATCH /helix/channels"),
        )
    )
    return Answer(consistency=accepted.token)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/helix/channels",
        tag="Channels",
        summary="Get channels",
        handler=list_channels,
        query=ChannelsQuery,
        body=Nothing,
        answer=Listing[Channel],
    ),
    Endpoint(
        method="PATCH",
        path="/helix/channels",
        tag="Channels",
        summary="Change a channel",
        handler=change_channel,
        query=ChannelQuery,
        body=ChannelChange,
        status=204,
        scope="channel:manage:broadcast",
        mutates=True,
        rejections=(404,),
    ),
)

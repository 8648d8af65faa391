"""A chat's modes."""

from __future__ import annotations

from asyncpg import Record
from pydantic import BaseModel, Field, model_validator

from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.fields import UserId
from query_api.moderating import ModeratorQuery, actor, reader, settle, submit
from query_api.pages import Listing
from schemas.commands.chat_policy import UpdateChatSettings

PATH = "/helix/chat/settings"
SLOW_MODE_S = 30
"""Where slow mode is asked for without a time."""

_SQL = "SELECT * FROM chat_settings WHERE channel_id = $1"


class SettingsQuery(BaseModel):
    """Whose chat."""

    broadcaster_id: UserId
    moderator_id: UserId | None = Field(default=None, description="The token's user, as Helix has it; may be left out.")


class ChatSettings(BaseModel):
    """Helix's fields."""

    broadcaster_id: str
    moderator_id: str | None = Field(default=None, exclude_if=lambda moderator_id: moderator_id is None)
    emote_mode: bool = False
    follower_mode: bool = False
    follower_mode_duration: int | None = Field(default=None, description="Minutes of following; null while it is off.")
    slow_mode: bool = False
    slow_mode_wait_time: int | None = Field(default=None, description="Seconds; null while it is off.")
    subscriber_mode: bool = False
    unique_chat_mode: bool = False
    non_moderator_chat_delay: bool = False
    non_moderator_chat_delay_duration: int | None = None


class SettingsChange(Body):
    """What is left out stays as it is."""

    emote_mode: bool | None = None
    follower_mode: bool | None = None
    follower_mode_duration: int | None = Field(default=None, ge=0, le=129_600, description="Minutes.")
    slow_mode: bool | None = None
    slow_mode_wait_time: int | None = Field(default=None, ge=3, le=120, description="Seconds.")
    subscriber_mode: bool | None = None
    unique_chat_mode: bool | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> SettingsChange:
        if self.slow_mode is False and self.slow_mode_wait_time is not None:
            raise ValueError("slow_mode_wait_time needs slow_mode to be true")
        if self.follower_mode is False and self.follower_mode_duration is not None:
            raise ValueError("follower_mode_duration needs follower_mode to be true")
        if not self.model_fields_set:
            raise ValueError(f"give at least one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def slow_mode_s(self) -> int | None:
        """None leaves it as it is."""
        if self.slow_mode is False:
            return 0
        return SLOW_MODE_S if self.slow_mode and self.slow_mode_wait_time is None else self.slow_mode_wait_time


async def get_chat_settings(call: Call[SettingsQuery, Nothing]) -> Answer:
    if call.query.moderator_id is not None:
        await reader(call)
    return await _settings(call, call.query.broadcaster_id, call.query.moderator_id)


async def change_chat_settings(call: Call[ModeratorQuery, SettingsChange]) -> Answer:
    user, change = actor(call), call.body
    accepted = await submit(
        call,
        f"PATCH {PATH}",
        UpdateChatSettings,
        channel_id=call.query.broadcaster_id,
        slow_mode_s=change.slow_mode_s,
        follower_mode=change.follower_mode,
        follower_mode_min=change.follower_mode_duration,
        subscriber_mode=change.subscriber_mode,
        emote_mode=change.emote_mode,
        unique_chat_mode=change.unique_chat_mode,
    )
    await settle(call, accepted)
    answer = await _settings(call, call.query.broadcaster_id, user.user_id)
    return Answer(answer.model, accepted.token)


async def _settings(
    call: Call[SettingsQuery, Nothing] | Call[ModeratorQuery, SettingsChange], channel_id: str, moderator_id: str | None
) -> Answer:
    row = await call.services.database.row(_SQL, channel_id)
    settings = _shown(row) if row else {}
    shown = ChatSettings(broadcaster_id=channel_id, moderator_id=moderator_id, **settings)
    return Answer(Listing[ChatSettings](data=[shown]))


def _shown(row: Record) -> dict[str, bool | int | None]:
    return {
        "emote_mode": row["emote_mode"],
        "follower_mode": row["follower_mode_min"] is not None,
        "follower_mode_duration": row["follower_mode_min"],
        "slow_mode": row["slow_mode_s"] > 0,
        "slow_mode_wait_time": row["slow_mode_s"] or None,
        "subscriber_mode": row["subscriber_mode"],
        "unique_chat_mode": row["unique_chat_mode"],
    }


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=PATH,
        tag="Chat",
        summary="Get a chat's modes",
        handler=get_chat_settings,
        query=SettingsQuery,
        body=Nothing,
        answer=Listing[ChatSettings],
        rejections=(403,),
    ),
    Endpoint(
        method="PATCH",
        path=PATH,
        tag="Chat",
        summary="Set a chat's modes",
        handler=change_chat_settings,
        query=ModeratorQuery,
        body=SettingsChange,
        answer=Listing[ChatSettings],
        scope="moderator:manage:chat_settings",
        mutates=True,
        rejections=(404,),
    ),
)

"""AutoMod: what it stops, and what it holds for a moderator."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from asyncpg import Record
from pydantic import BaseModel, Field, model_validator

from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.errors import ApiError
from query_api.fields import MessageId, UserId
from query_api.moderating import ModeratorQuery, actor, carry_out, reader, settle, submit
from query_api.owner import require_owner
from query_api.pages import Listing, Page, PageQuery, by_time, paged
from schemas.commands.chat import ResolveHeldMessage
from schemas.commands.chat_policy import UpdateAutoModSettings
from schemas.events.chat_policy import AUTOMOD_CATEGORIES

SETTINGS = "/helix/moderation/automod/settings"
MESSAGES = "/helix/moderation/automod/message"

_SETTINGS_SQL = "SELECT * FROM automod_settings WHERE channel_id = $1"

_CHANNEL = "SELECT channel_id FROM automod_findings WHERE message_id = $1 AND held"

_HELD = """
SELECT f.message_id, f.channel_id AS broadcaster_id, f.sender_id AS user_id, f.sender_login AS user_login,
       f.sender_name AS user_name, f.text AS message, f.rule, f.category, f.level, f.score, f.model_version,
       f.found_at AS held_at
FROM automod_findings f
WHERE f.channel_id = $1 AND f.held AND f.found_at > now() - interval '5 minutes'
  AND NOT EXISTS (SELECT FROM chat_actions a WHERE a.subject_id = f.message_id AND a.action LIKE 'automod_%')
  AND ($2::timestamptz IS NULL OR (f.found_at, f.message_id) < ($2, $3))
ORDER BY f.found_at DESC, f.message_id DESC LIMIT $4
"""

Level = Annotated[int, Field(ge=0, le=4, description="0, off, to 4, the strictest.")]


class Levels(BaseModel):
    """A level for each of Helix's categories."""

    aggression: Level = 0
    bullying: Level = 0
    disability: Level = 0
    misogyny: Level = 0
    race_ethnicity_or_religion: Level = 0
    sex_based_terms: Level = 0
    sexuality_sex_or_gender: Level = 0
    swearing: Level = 0


class AutoModSettings(Levels):
    """Helix's fields, and ours: what the model finds, links and spam."""

    broadcaster_id: str
    moderator_id: str
    overall_level: int | None = Field(description="The level of all categories where they have the same, else null.")
    toxicity_level: int = 0
    block_links: bool = False
    block_spam: bool = False


class NewAutoModSettings(Levels, Body):
    """All of it, as Helix asks: a category that is left out is off. Ours stay as they are where they are left out."""

    overall_level: Level | None = Field(default=None, description="For all categories at once.")
    toxicity_level: Level | None = None
    block_links: bool | None = None
    block_spam: bool | None = None

    @model_validator(mode="after")
    def _says_it_once(self) -> NewAutoModSettings:
        if self.overall_level is not None and any(self.levels.values()):
            raise ValueError("give overall_level or the categories' levels, not both")
        return self

    @property
    def levels(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in AUTOMOD_CATEGORIES}

    @property
    def wanted(self) -> dict[str, int]:
        return self.levels if self.overall_level is None else dict.fromkeys(AUTOMOD_CATEGORIES, self.overall_level)


class HeldQuery(ModeratorQuery, PageQuery):
    """Whose held messages."""


class HeldMessage(BaseModel):
    """A message that waits for a moderator, and why."""

    message_id: str
    broadcaster_id: str
    user_id: str
    user_login: str
    user_name: str
    message: str
    rule: str
    category: str
    level: int
    score: float
    model_version: str
    held_at: datetime


class HeldDecision(Body):
    """Helix's fields."""

    user_id: UserId = Field(description="The token's user: the channel's owner or one of its moderators.")
    msg_id: MessageId
    action: Literal["ALLOW", "DENY"]


async def get_automod_settings(call: Call[ModeratorQuery, Nothing]) -> Answer:
    await reader(call)
    return await _settings(call)


async def set_automod_settings(call: Call[ModeratorQuery, NewAutoModSettings]) -> Answer:
    actor(call)
    accepted = await submit(
        call,
        f"PUT {SETTINGS}",
        UpdateAutoModSettings,
        channel_id=call.query.broadcaster_id,
        levels=call.body.wanted,
        toxicity_level=call.body.toxicity_level,
        block_links=call.body.block_links,
        block_spam=call.body.block_spam,
    )
    await settle(call, accepted)
    answer = await _settings(call)
    return Answer(answer.model, accepted.token)


async def list_held_messages(call: Call[HeldQuery, Nothing]) -> Answer:
    query = call.query
    await reader(call)
    after = query.place(by_time)
    rows = await call.services.database.rows(_HELD, query.broadcaster_id, *after, query.first + 1)
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["held_at"], row["message_id"]))
    return Answer(Page[HeldMessage](data=[HeldMessage(**row) for row in page], pagination=pagination))


async def resolve_held_message(call: Call[Nothing, HeldDecision]) -> Answer:
    decision = call.body
    require_owner(call, decision.user_id, "user_id")
    held = await call.services.database.row(_CHANNEL, decision.msg_id)
    if held is None:
        raise ApiError(404, "There is no such held message.", "unknown_held_message")
    return await carry_out(
        call,
        f"POST {MESSAGES} {decision.msg_id}",
        ResolveHeldMessage,
        channel_id=held["channel_id"],
        message_id=decision.msg_id,
        allowed=decision.action == "ALLOW",
    )


async def _settings(call: Call[ModeratorQuery, Any]) -> Answer:
    row = await call.services.database.row(_SETTINGS_SQL, call.query.broadcaster_id)
    shown = AutoModSettings(
        broadcaster_id=call.query.broadcaster_id,
        moderator_id=call.query.moderator_id,
        overall_level=_overall(row),
        **{name: row[name] for name in (*AUTOMOD_CATEGORIES, "toxicity_level", "block_links", "block_spam") if row},
    )
    return Answer(Listing[AutoModSettings](data=[shown]))


def _overall(row: Record | None) -> int | None:
    levels = {row[name] for name in AUTOMOD_CATEGORIES} if row else {0}
    return levels.pop() if len(levels) == 1 else None


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=SETTINGS,
        tag="AutoMod",
        summary="Get what AutoMod stops",
        handler=get_automod_settings,
        query=ModeratorQuery,
        body=Nothing,
        answer=Listing[AutoModSettings],
        scope="moderator:read:automod_settings",
        or_scopes=("moderator:manage:automod_settings",),
    ),
    Endpoint(
        method="PUT",
        path=SETTINGS,
        tag="AutoMod",
        summary="Set what AutoMod stops",
        handler=set_automod_settings,
        query=ModeratorQuery,
        body=NewAutoModSettings,
        answer=Listing[AutoModSettings],
        scope="moderator:manage:automod_settings",
        mutates=True,
        rejections=(404,),
    ),
    Endpoint(
        method="GET",
        path=MESSAGES,
        tag="AutoMod",
        summary="Get what AutoMod holds",
        description="Messages that a moderator may still decide on, newest first. Not in Helix.",
        handler=list_held_messages,
        query=HeldQuery,
        body=Nothing,
        answer=Page[HeldMessage],
        scope="moderator:manage:automod",
    ),
    Endpoint(
        method="POST",
        path=MESSAGES,
        tag="AutoMod",
        summary="Allow or deny a held message",
        description="Within five minutes. An allowed message is sent under the id it was held with.",
        handler=resolve_held_message,
        query=Nothing,
        body=HeldDecision,
        status=204,
        scope="moderator:manage:automod",
        mutates=True,
        rejections=(404,),
    ),
)

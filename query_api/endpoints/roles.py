"""A channel's moderators and VIPs."""

from __future__ import annotations

from pydantic import BaseModel, Field

from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.fields import UserId
from query_api.moderating import carry_out, require_moderator
from query_api.owner import require_owner
from query_api.pages import Page, PageQuery, by_time, paged
from schemas.commands.channel_roles import AddModerator, AddVip, RemoveModerator, RemoveVip, RoleCommand

MODERATORS = "/helix/moderation/moderators"
VIPS = "/helix/channels/vips"

_SQL = """
SELECT r.user_id, coalesce(u.login, '') AS user_login, coalesce(u.display_name, '') AS user_name, r.since
FROM channel_roles r LEFT JOIN users u USING (user_id)
WHERE r.channel_id = $1 AND r.role = $2 AND (cardinality($3::text[]) = 0 OR r.user_id = ANY($3))
  AND ($4::timestamptz IS NULL OR (r.since, r.user_id) < ($4, $5))
ORDER BY r.since DESC, r.user_id DESC LIMIT $6
"""


class RoleQuery(PageQuery):
    """Whose, and whether these are among them."""

    broadcaster_id: UserId
    user_id: list[UserId] = Field(default=[], max_length=100)


class RoleHolder(BaseModel):
    """Helix's fields."""

    user_id: str
    user_login: str
    user_name: str


class RoleChange(BaseModel):
    """Whose role in which channel: the token's user's own."""

    broadcaster_id: UserId
    user_id: UserId


async def list_moderators(call: Call[RoleQuery, Nothing]) -> Answer:
    return await _listed(call, "moderator")


async def list_vips(call: Call[RoleQuery, Nothing]) -> Answer:
    return await _listed(call, "vip")


async def add_moderator(call: Call[RoleChange, Nothing]) -> Answer:
    return await _changed(call, f"POST {MODERATORS}", AddModerator)


async def remove_moderator(call: Call[RoleChange, Nothing]) -> Answer:
    return await _changed(call, f"DELETE {MODERATORS}", RemoveModerator)


async def add_vip(call: Call[RoleChange, Nothing]) -> Answer:
    return await _changed(call, f"POST {VIPS}", AddVip)


async def remove_vip(call: Call[RoleChange, Nothing]) -> Answer:
    return await _changed(call, f"DELETE {VIPS}", RemoveVip)


async def _listed(call: Call[RoleQuery, Nothing], role: str) -> Answer:
    query = call.query
    await require_moderator(call, query.broadcaster_id)
    after = query.place(by_time)
    rows = await call.services.database.rows(_SQL, query.broadcaster_id, role, query.user_id, *after, query.first + 1)
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["since"], row["user_id"]))
    holders = [RoleHolder(**{name: row[name] for name in RoleHolder.model_fields}) for row in page]
    return Answer(Page[RoleHolder](data=holders, pagination=pagination))


async def _changed(call: Call[RoleChange, Nothing], scope: str, command: type[RoleCommand]) -> Answer:
    channel_id, target_id = call.query.broadcaster_id, call.query.user_id
    require_owner(call, channel_id)
    return await carry_out(call, f"{scope} {target_id}", command, channel_id=channel_id, target_id=target_id)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=MODERATORS,
        tag="Moderation",
        summary="Get a channel's moderators",
        description="For the owner and moderators, newest first.",
        handler=list_moderators,
        query=RoleQuery,
        body=Nothing,
        answer=Page[RoleHolder],
        scope="moderation:read",
        or_scopes=("channel:manage:moderators",),
    ),
    Endpoint(
        method="POST",
        path=MODERATORS,
        tag="Moderation",
        summary="Add a moderator",
        handler=add_moderator,
        query=RoleChange,
        body=Nothing,
        status=204,
        scope="channel:manage:moderators",
        mutates=True,
        rejections=(404, 409, 422),
    ),
    Endpoint(
        method="DELETE",
        path=MODERATORS,
        tag="Moderation",
        summary="Remove a moderator",
        handler=remove_moderator,
        query=RoleChange,
        body=Nothing,
        status=204,
        scope="channel:manage:moderators",
        mutates=True,
        rejections=(404,),
    ),
    Endpoint(
        method="GET",
        path=VIPS,
        tag="Moderation",
        summary="Get a channel's VIPs",
        description="For the owner and moderators, newest first.",
        handler=list_vips,
        query=RoleQuery,
        body=Nothing,
        answer=Page[RoleHolder],
        scope="channel:read:vips",
        or_scopes=("channel:manage:vips",),
    ),
    Endpoint(
        method="POST",
        path=VIPS,
        tag="Moderation",
        summary="Add a VIP",
        handler=add_vip,
        query=RoleChange,
        body=Nothing,
        status=204,
        scope="channel:manage:vips",
        mutates=True,
        rejections=(404, 409, 422),
    ),
    Endpoint(
        method="DELETE",
        path=VIPS,
        tag="Moderation",
        summary="Remove a VIP",
        handler=remove_vip,
        query=RoleChange,
        body=Nothing,
        status=204,
        scope="channel:manage:vips",
        mutates=True,
        rejections=(404, 422),
    ),
)

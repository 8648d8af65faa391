"""Raids: a channel sends its viewers to another."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.fields import UserId
from query_api.owner import require_owner
from query_api.pages import Listing
from schemas.commands.chat import Raid

PATH = "/helix/raids"

_VIEWERS = """
SELECT coalesce(sum(v.sampling), 0)::int AS viewers
FROM streams s JOIN viewers v USING (stream_id)
WHERE s.channel_id = $1 AND s.status IN ('live', 'disconnected')
  AND v.left_at IS NULL AND v.last_seen_at > now() - interval '30 s'
"""


class RaidQuery(BaseModel):
    """From the token's own channel to another."""

    from_broadcaster_id: UserId
    to_broadcaster_id: UserId


class StartedRaid(BaseModel):
    """Helix's fields."""

    created_at: datetime
    is_mature: bool = False


async def start_raid(call: Call[RaidQuery, Nothing]) -> Answer:
    raider = require_owner(call, call.query.from_broadcaster_id, "from_broadcaster_id")
    counted = await call.services.database.rows(_VIEWERS, raider.user_id)
    command = Raid(
        channel_id=call.query.to_broadcaster_id,
        from_login=raider.login,
        viewers=counted[0]["viewers"],
        from_name=raider.display_name,
        **call.envelope(raider.user_id, f"POST {PATH} {call.query.to_broadcaster_id}"),
    )
    accepted = await call.services.gateway.submit(command)
    return Answer(Listing[StartedRaid](data=[StartedRaid(created_at=command.issued_at)]), accepted.token)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path=PATH,
        tag="Raids",
        summary="Raid a channel",
        description="Its chat is told at once, with the number of viewers that come. Once in ten minutes.",
        handler=start_raid,
        query=RaidQuery,
        body=Nothing,
        answer=Listing[StartedRaid],
        scope="channel:manage:raids",
        mutates=True,
        rejections=(404,),
    ),
)

"""Taking back what was said."""

from __future__ import annotations

from pydantic import Field

from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.fields import MessageId
from query_api.moderating import ModeratorQuery, actor, carry_out
from schemas.commands.chat import ClearChat, DeleteMessage

PATH = "/helix/moderation/chat"


class DeletionQuery(ModeratorQuery):
    """Which message."""

    message_id: MessageId | None = Field(default=None, description="Left out, everything said so far.")


async def delete_messages(call: Call[DeletionQuery, Nothing]) -> Answer:
    actor(call)
    channel_id, message_id = call.query.broadcaster_id, call.query.message_id
    if message_id is None:
        return await carry_out(call, f"DELETE {PATH}", ClearChat, channel_id=channel_id)
    scope = f"DELETE {PATH} {message_id}"
    return await carry_out(call, scope, DeleteMessage, channel_id=channel_id, message_id=message_id)


ENDPOINTS = (
    Endpoint(
        method="DELETE",
        path=PATH,
        tag="Moderation",
        summary="Delete a message, or all",
        description="What moderators say only the owner takes back. Everybody may take back their own.",
        handler=delete_messages,
        query=DeletionQuery,
        body=Nothing,
        status=204,
        scope="moderator:manage:chat_messages",
        mutates=True,
        rejections=(404,),
    ),
)

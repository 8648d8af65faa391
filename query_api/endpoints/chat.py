"""Chat over REST."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.errors import ApiError
from query_api.fields import MessageId, UserId
from query_api.owner import require_owner
from query_api.pages import Listing, Page, PageQuery, by_time, paged
from schemas.commands.chat import SendMessage

DROPPED = ("msg_rejected",)
"""Refusals that Helix answers with 200 and a drop reason."""

_SQL = """
SELECT message_id, channel_id AS broadcaster_id, sender_id, sender_login, text AS message,
       reply_parent_id AS reply_parent_message_id, sent_at
FROM chat_messages
WHERE channel_id = $1 AND ($2::timestamptz IS NULL OR (sent_at, message_id) < ($2, $3))
ORDER BY sent_at DESC, message_id DESC LIMIT $4
"""


class MessagesQuery(PageQuery):
    """Whose chat."""

    broadcaster_id: UserId


class ChatMessage(BaseModel):
    """A message."""

    message_id: str
    broadcaster_id: str
    sender_id: str
    sender_login: str
    message: str
    reply_parent_message_id: str | None
    sent_at: datetime


class NewMessage(Body):
    """What to say, and where."""

    broadcaster_id: UserId
    sender_id: UserId = Field(description="The token's user.")
    message: str = Field(min_length=1, max_length=500)
    reply_parent_message_id: MessageId | None = None


class DropReason(BaseModel):
    """Why a message was not sent."""

    code: str
    message: str


class SentMessage(BaseModel):
    """Helix's fields."""

    message_id: str
    is_sent: bool
    drop_reason: DropReason | None = None


async def list_messages(call: Call[MessagesQuery, Nothing]) -> Answer:
    query = call.query
    after = query.place(by_time)
    rows = await call.services.database.rows(_SQL, query.broadcaster_id, *after, query.first + 1)
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["sent_at"], row["message_id"]))
    return Answer(Page[ChatMessage](data=[ChatMessage(**row) for row in page], pagination=pagination))


async def send_message(call: Call[Nothing, NewMessage]) -> Answer:
    new = call.body
    user = require_owner(call, new.sender_id, "sender_id")
    command = SendMessage(
        channel_id=new.broadcaster_id,
        sender_login=user.login,
        text=new.message,
        reply_parent_id=new.reply_parent_message_id,
        **call.envelope(user.user_id, f"POST /helix/chat/messages {new.broadcaster_id}"),
    )
    try:
        accepted = await call.services.gateway.submit(command)
    except ApiError as error:
        if error.code not in DROPPED:
            raise
        reason = DropReason(code=error.code, message=error.message)
        return Answer(Listing[SentMessage](data=[SentMessage(message_id="", is_sent=False, drop_reason=reason)]))
    sent = SentMessage(message_id=accepted.reply["message_id"], is_sent=True)
    return Answer(Listing[SentMessage](data=[sent]), accepted.token)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/helix/chat/messages",
        tag="Chat",
        summary="Get a channel's messages",
        description="Newest first.",
        handler=list_messages,
        query=MessagesQuery,
        body=Nothing,
        answer=Page[ChatMessage],
    ),
    Endpoint(
        method="POST",
        path="/helix/chat/messages",
        tag="Chat",
        summary="Send a message",
        handler=send_message,
        query=Nothing,
        body=NewMessage,
        answer=Listing[SentMessage],
        scope="user:write:chat",
        mutates=True,
        rejections=(404, 422),
    ),
)

"""What is said: sending messages, and the history of what was."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from asyncpg import Record
from pydantic import BaseModel, Field

from query_api.chat.fragments import cheered, emotes_tag, fragments_of, text_of
from query_api.chat.frames import Cheer, Fragment
from query_api.chat.views import colour_of
from query_api.chat_history import SORTED
from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.errors import ApiError
from query_api.fields import MessageId, Moment, UserId
from query_api.moderating import moderates, submit
from query_api.owner import require_owner
from query_api.pages import Listing, Page, PageQuery, by_time, paged
from query_api.rejections import DROPPED
from query_api.room_door import require_open
from schemas.commands.chat import SendMessage

PATH = "/helix/chat/messages"
SEES_DELETED = "moderator:manage:chat_messages"

_REACTIONS = """
SELECT message_id, emote, count(*) FROM chat_reactions WHERE message_id = ANY($1::text[])
GROUP BY message_id, emote ORDER BY count(*) DESC, emote
"""


class MessagesQuery(PageQuery):
    """Whose chat, and which part of it."""

    broadcaster_id: UserId
    user_id: UserId | None = Field(default=None, description="Only what this user said.")
    started_at: Moment | None = Field(default=None, description="Not before this.")
    ended_at: Moment | None = Field(default=None, description="Before this.")
    sort: Literal["newest", "oldest"] = Field(
        default="newest", description="Which comes first. The oldest, to show a chat in step with its video."
    )


class Badge(BaseModel):
    """What the sender was."""

    set_id: str = Field(description="Such as moderator.")
    id: str = Field(description="The version, such as 1, or a subscriber's months.")


class ReactionCount(BaseModel):
    """How often it was reacted so."""

    emote: str
    count: int


class ChatMessage(BaseModel):
    """A message, with what it is shown with."""

    message_id: str
    broadcaster_id: str
    sender_id: str
    sender_login: str
    sender_name: str
    message: str = Field(description="What was said; with a donation it begins with the amount.")
    fragments: list[Fragment]
    cheer: Cheer | None = Field(description="What was given with it.")
    color: str = Field(description="Of the sender's name, #RRGGBB.")
    reply_parent_message_id: str | None
    badges: list[Badge]
    emotes: str = Field(description="Where emotes stand, as in IRC's tag: `id:first-last,…/id:…`, in characters.")
    announcement: str = Field(description="The colour of an announcement; else empty.")
    reactions: list[ReactionCount]
    sent_at: datetime
    deleted_at: datetime | None = Field(description="Only moderators see messages that have it.")
    deleted_by: str | None


class NewMessage(Body):
    """What to say, and where."""

    broadcaster_id: UserId
    sender_id: UserId = Field(description="The token's user.")
    message: str = Field(min_length=1, description="At most 500 characters.")
    reply_parent_message_id: MessageId | None = None


class DropReason(BaseModel):
    """Why a message was not sent."""

    code: str
    message: str


class SentMessage(BaseModel):
    """Helix's fields."""

    message_id: str = Field(description="Empty where there is no message. What AutoMod holds has one.")
    is_sent: bool
    drop_reason: DropReason | None = None


async def list_messages(call: Call[MessagesQuery, Nothing]) -> Answer:
    query, services = call.query, call.services
    await require_open(call, query.broadcaster_id)
    rows = await services.database.rows(
        SORTED[query.sort],
        query.broadcaster_id,
        query.user_id,
        query.started_at,
        query.ended_at,
        *query.place(by_time),
        await _sees_deleted(call),
        query.first + 1,
    )
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["sent_at"], row["message_id"]))
    return Answer(Page[ChatMessage](data=await shown(call, page), pagination=pagination))


async def shown(call: Call[Any, Any], rows: Sequence[Record]) -> list[ChatMessage]:
    """The rows with their reactions."""
    reactions = await _reactions(call, [row["message_id"] for row in rows])
    return [_message(row, reactions.get(row["message_id"], [])) for row in rows]


async def send_message(call: Call[Nothing, NewMessage]) -> Answer:
    new = call.body
    user = require_owner(call, new.sender_id, "sender_id")
    allowance = call.services.sends.take(user.user_id, time.monotonic())
    if not allowance.allowed:  # as at the chat's doors: before Kafka is asked, for a flood there is everybody's
        wait_s = math.ceil(allowance.retry_in_s)
        return _sent("", DropReason(code="msg_ratelimit", message=f"you are sending too quickly; wait {wait_s} s"))
    try:
        accepted = await submit(
            call,
            f"POST {PATH}",
            SendMessage,
            channel_id=new.broadcaster_id,
            sender_login=user.login,
            sender_name=user.display_name,
            text=new.message,
            reply_parent_id=new.reply_parent_message_id,
        )
    except ApiError as error:
        if error.code not in DROPPED:
            raise
        return _sent("", DropReason(code=error.code, message=error.message))
    reply = accepted.reply
    stopped = DropReason(code=reply["drop_code"], message=reply["drop_message"]) if "drop_code" in reply else None
    return Answer(_sent(reply["message_id"], stopped).model, accepted.token)


def _sent(message_id: str, dropped: DropReason | None) -> Answer:
    sent = SentMessage(message_id=message_id, is_sent=dropped is None, drop_reason=dropped)
    return Answer(Listing[SentMessage](data=[sent]))


async def _sees_deleted(call: Call[MessagesQuery, Nothing]) -> bool:
    user = call.session
    if user is None or SEES_DELETED not in user.scopes:
        return False
    return await moderates(call.services, call.query.broadcaster_id, user.user_id)


async def _reactions(call: Call[Any, Any], message_ids: Sequence[str]) -> dict[str, list[ReactionCount]]:
    counted: dict[str, list[ReactionCount]] = {}
    for row in await call.services.database.rows(_REACTIONS, message_ids):
        counted.setdefault(row["message_id"], []).append(ReactionCount(emote=row["emote"], count=row["count"]))
    return counted


def _message(row: Record, reactions: list[ReactionCount]) -> ChatMessage:
    badges = (badge.partition("/") for badge in row["badges"].split())
    text, emotes, cheer = row["text"], row["emotes"], None
    if row["amount_minor"] is None:
        fragments = fragments_of(text, emotes)
    else:
        cheer = Cheer(amount_minor=row["amount_minor"], currency=row["currency"])
        fragments = cheered(cheer, text, emotes)
        text, emotes = text_of(fragments), emotes_tag(fragments)
    return ChatMessage(
        message_id=row["message_id"],
        broadcaster_id=row["channel_id"],
        sender_id=row["sender_id"],
        sender_login=row["sender_login"],
        sender_name=row["sender_name"] or row["sender_login"],
        message=text,
        fragments=fragments,
        cheer=cheer,
        color=colour_of(row["sender_id"]),
        reply_parent_message_id=row["reply_parent_id"],
        badges=[Badge(set_id=set_id, id=version) for set_id, _, version in badges],
        emotes=emotes,
        announcement=row["announcement"],
        reactions=reactions,
        sent_at=row["sent_at"],
        deleted_at=row["deleted_at"],
        deleted_by=row["deleted_by"],
    )


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=PATH,
        tag="Chat",
        summary="Get a channel's messages",
        description="Of a channel that is not public, for who may watch it or helps to run it. Who moderates it, with "
        f"the scope `{SEES_DELETED}`, sees deleted ones too.",
        handler=list_messages,
        query=MessagesQuery,
        body=Nothing,
        answer=Page[ChatMessage],
        rejections=(403,),
    ),
    Endpoint(
        method="POST",
        path=PATH,
        tag="Chat",
        summary="Send a message",
        description="What the chat's rules or AutoMod stop is answered with 200 and a `drop_reason`.",
        handler=send_message,
        query=Nothing,
        body=NewMessage,
        answer=Listing[SentMessage],
        scope="user:write:chat",
        mutates=True,
        rejections=(404, 422),
    ),
)

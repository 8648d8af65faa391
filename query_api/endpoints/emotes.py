"""Emotes: the global ones, and those of channels."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from commands.identity import new_id
from query_api.emote_pictures import MEDIA_TYPE, UPLOAD_BYTES
from query_api.endpoint import Answer, Call, Endpoint, Nothing, Upload
from query_api.fields import MessageId, UserId
from query_api.moderating import carry_out, submit
from query_api.owner import require_owner
from query_api.pages import Listing
from query_api.rate_limit import refuse_if_spent
from schemas.commands.emotes import AddEmote, RemoveEmote
from schemas.emotes import GLOBAL_EMOTES

PATH = "/helix/chat/emotes"
SCOPE = "channel:manage:emotes"
SCALES = ("1x", "2x", "3x")
UPLOADS = ("application/octet-stream", "image/png", "image/gif", "image/webp")

_SQL = """
SELECT emote_id, name, tier, animated FROM emotes WHERE channel_id = $1 AND removed_at IS NULL ORDER BY name, emote_id
"""


class ChannelQuery(BaseModel):
    """Whose emotes."""

    broadcaster_id: UserId


class EmoteImages(BaseModel):
    """Helix's fields: 28, 56 and 112 pixels square."""

    url_1x: str
    url_2x: str
    url_4x: str = Field(description="The largest; Helix calls it so.")


class GlobalEmote(BaseModel):
    """Helix's fields."""

    id: str
    name: str = Field(description="What is typed to say it.")
    images: EmoteImages
    format: list[Literal["static", "animated"]]
    scale: list[str] = list(SCALES)
    theme_mode: list[Literal["light", "dark"]] = ["light", "dark"]


class ChannelEmote(GlobalEmote):
    """Helix's fields."""

    tier: str = Field(description="The subscription that it takes; empty is everybody.")
    emote_type: Literal["follower", "subscriptions"]
    emote_set_id: str = Field(description="The channel's id.")


class Emotes(Listing[GlobalEmote]):
    """Global emotes, and how the address of a picture is made."""

    template: str


class ChannelEmotes(Listing[ChannelEmote]):
    """A channel's emotes, and how the address of a picture is made."""

    template: str


class NewEmoteQuery(ChannelQuery):
    """What the picture in the body becomes."""

    name: str = Field(pattern=r"^[A-Za-z0-9]{3,40}$", description="What is typed to say it.")
    tier: Annotated[Literal["", "1000", "2000", "3000"], Field(description="The subscription that it takes.")] = ""


class EmoteQuery(ChannelQuery):
    """Which emote."""

    id: MessageId


async def list_global_emotes(call: Call[Nothing, Nothing]) -> Answer:
    base = _base(call.services.settings.edge_url)
    emotes = [
        GlobalEmote(id=emote_id, name=name, images=_images(base, emote_id), format=["static"])
        for name, emote_id in GLOBAL_EMOTES.items()
    ]
    return Answer(Emotes(data=emotes, template=_template(base)))


async def list_channel_emotes(call: Call[ChannelQuery, Nothing]) -> Answer:
    rows = await call.services.database.rows(_SQL, call.query.broadcaster_id)
    base = _base(call.services.settings.edge_url)
    emotes = [
        _channel_emote(base, call.query.broadcaster_id, row["emote_id"], row["name"], row["tier"], row["animated"])
        for row in rows
    ]
    return Answer(ChannelEmotes(data=emotes, template=_template(base)))


async def add_emote(call: Call[NewEmoteQuery, Upload]) -> Answer:
    query = call.query
    owner = require_owner(call, query.broadcaster_id)
    refuse_if_spent(call.services.emotes.take(owner.user_id, time.monotonic()), "Too many emotes.")
    pictures = await call.services.painter.pictures(call.body.content)
    one, two, three = pictures.images
    accepted = await submit(
        call,
        f"POST {PATH}",
        AddEmote,
        channel_id=query.broadcaster_id,
        emote_id=new_id(),
        name=query.name,
        tier=query.tier,
        animated=pictures.animated,
        media_type=MEDIA_TYPE,
        image_1x=one,
        image_2x=two,
        image_3x=three,
    )
    base, emote_id = _base(call.services.settings.edge_url), accepted.reply["emote_id"]
    added = _channel_emote(base, query.broadcaster_id, emote_id, query.name, query.tier, pictures.animated)
    return Answer(ChannelEmotes(data=[added], template=_template(base)), accepted.token)


async def remove_emote(call: Call[EmoteQuery, Nothing]) -> Answer:
    channel_id, emote_id = call.query.broadcaster_id, call.query.id
    require_owner(call, channel_id)
    return await carry_out(call, f"DELETE {PATH} {emote_id}", RemoveEmote, channel_id=channel_id, emote_id=emote_id)


def _base(edge_url: str) -> str:
    return f"{edge_url.rstrip('/')}/emotes"


def _template(base: str) -> str:
    return base + "/{{id}}/{{scale}}"


def _images(base: str, emote_id: str) -> EmoteImages:
    one, two, three = (f"{base}/{emote_id}/{scale}" for scale in SCALES)
    return EmoteImages(url_1x=one, url_2x=two, url_4x=three)


def _channel_emote(base: str, channel_id: str, emote_id: str, name: str, tier: str, animated: bool) -> ChannelEmote:
    return ChannelEmote(
        id=emote_id,
        name=name,
        images=_images(base, emote_id),
        format=["static", "animated"] if animated else ["static"],
        tier=tier,
        emote_type="subscriptions" if tier else "follower",
        emote_set_id=channel_id,
    )


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=f"{PATH}/global",
        tag="Emotes",
        summary="Get the global emotes",
        handler=list_global_emotes,
        query=Nothing,
        body=Nothing,
        answer=Emotes,
    ),
    Endpoint(
        method="GET",
        path=PATH,
        tag="Emotes",
        summary="Get a channel's emotes",
        handler=list_channel_emotes,
        query=ChannelQuery,
        body=Nothing,
        answer=ChannelEmotes,
    ),
    Endpoint(
        method="POST",
        path=PATH,
        tag="Emotes",
        summary="Add an emote",
        description="The body is the picture: PNG, GIF or WebP, at most 1 MiB, 60 frames and 4096 pixels a side. "
        "It is made square, in three sizes. Not in Helix.",
        handler=add_emote,
        query=NewEmoteQuery,
        body=Upload,
        media_types=UPLOADS,
        upload_bytes=UPLOAD_BYTES,
        answer=ChannelEmotes,
        scope=SCOPE,
        mutates=True,
        rejections=(404, 409),
    ),
    Endpoint(
        method="DELETE",
        path=PATH,
        tag="Emotes",
        summary="Remove an emote",
        description="Messages that were sent with it still show it. Not in Helix.",
        handler=remove_emote,
        query=EmoteQuery,
        body=Nothing,
        status=204,
        scope=SCOPE,
        mutates=True,
        rejections=(404,),
    ),
)

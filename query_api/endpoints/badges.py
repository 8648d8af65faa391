"""Badges: what a message shows of its sender."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel

from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.fields import UserId
from query_api.pages import Listing

PATH = "/helix/chat/badges"

_GLOBAL = {"broadcaster": "Broadcaster", "moderator": "Moderator", "vip": "VIP"}

_MONTHS = (1, 2, 3, 6, 9, 12, 18, 24, 36)
"""Subscriber badges are named at these months; between them the one before holds."""


class BadgeVersion(BaseModel):
    """Helix's fields. The pictures are drawn to any size."""

    id: str
    image_url_1x: str
    image_url_2x: str
    image_url_4x: str
    title: str
    description: str
    click_action: str | None = None
    click_url: str | None = None


class BadgeSet(BaseModel):
    """Helix's fields."""

    set_id: str
    versions: list[BadgeVersion]


class BadgesQuery(BaseModel):
    """Whose badges."""

    broadcaster_id: UserId


async def list_global_badges(call: Call[Nothing, Nothing]) -> Answer:
    sets = [_set(call, set_id, [("1", title)]) for set_id, title in _GLOBAL.items()]
    return Answer(Listing[BadgeSet](data=sets))


async def list_channel_badges(call: Call[BadgesQuery, Nothing]) -> Answer:
    """Every channel has the same."""
    titles = ((str(months), "Subscriber" if months == 1 else f"{months}-month subscriber") for months in _MONTHS)
    return Answer(Listing[BadgeSet](data=[_set(call, "subscriber", titles)]))


def _set(
    call: Call[Nothing, Nothing] | Call[BadgesQuery, Nothing], set_id: str, titles: Iterable[tuple[str, str]]
) -> BadgeSet:
    url = f"{call.services.settings.edge_url.rstrip('/')}/static/badges/{set_id}.svg"
    pictures = {"image_url_1x": url, "image_url_2x": url, "image_url_4x": url}
    versions = [BadgeVersion(id=version, title=title, description=title, **pictures) for version, title in titles]
    return BadgeSet(set_id=set_id, versions=versions)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=f"{PATH}/global",
        tag="Chat",
        summary="Get the badges that every channel has",
        handler=list_global_badges,
        query=Nothing,
        body=Nothing,
        answer=Listing[BadgeSet],
    ),
    Endpoint(
        method="GET",
        path=PATH,
        tag="Chat",
        summary="Get a channel's badges",
        description="Of its subscribers. A message's badge names the month: the greatest version not above is shown.",
        handler=list_channel_badges,
        query=BadgesQuery,
        body=Nothing,
        answer=Listing[BadgeSet],
    ),
)

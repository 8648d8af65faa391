"""Money given to channels."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated

from asyncpg import Record
from pydantic import BaseModel, Field

from commands.identity import new_id
from query_api.chat_history import COUNTING
from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.fields import Line, UserId
from query_api.pages import Listing, Page, PageQuery, by_time, paged
from query_api.rate_limit import refuse_if_spent
from query_api.room_door import require_open
from schemas.commands.support import Donate

# What moderators took back of the chat is not said here either.
_LISTED = """
WITH counting AS NOT MATERIALIZED ({counting})
SELECT d.donation_id, d.channel_id, d.donor_id, coalesce(u.login, '') AS login,
       coalesce(u.display_name, '') AS display_name, d.amount_minor, d.currency, d.donated_at,
       CASE WHEN (SELECT true FROM counting c WHERE c.action = 'delete' AND c.subject_id = d.donation_id LIMIT 1)
                 OR (SELECT true FROM counting c WHERE c.action = 'clear' AND c.acted_at >= d.donated_at LIMIT 1)
            THEN '' ELSE d.message END AS message
FROM donations d LEFT JOIN users u ON u.user_id = d.donor_id
WHERE d.channel_id = $1 AND ($2::timestamptz IS NULL OR (d.donated_at, d.donation_id) < ($2, $3))
ORDER BY d.donated_at DESC, d.donation_id DESC LIMIT $4
"""

_SQL = _LISTED.format(counting=COUNTING)


class Amount(Body):
    """Money."""

    value: int = Field(ge=1, le=10_000_000, description="In the currency's minor unit, such as cents.")
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 code.")


class NewDonation(Body):
    """How much to whom. The giver is the token's user."""

    broadcaster_id: UserId
    amount: Amount
    message: Annotated[Line, Field(max_length=500)] = ""


class MadeDonation(BaseModel):
    """A donation that was taken."""

    id: str


class DonationsQuery(PageQuery):
    """To which channel."""

    broadcaster_id: UserId


class Donation(BaseModel):
    """A donation, named as Helix names charity donations."""

    id: str
    broadcaster_id: str
    user_id: str
    user_login: str
    user_name: str
    amount: Amount
    message: str
    donated_at: datetime


async def donate(call: Call[Nothing, NewDonation]) -> Answer:
    new = call.body
    user = call.user
    refuse_if_spent(call.services.gifts.take(user.user_id, time.monotonic()), "You give too often.")
    command = Donate(
        channel_id=new.broadcaster_id,
        donation_id=new_id(),
        amount_minor=new.amount.value,
        currency=new.amount.currency,
        message=new.message,
        donor_login=user.login,
        donor_name=user.display_name,
        **call.envelope(user.user_id, f"POST /helix/donations {new.broadcaster_id}"),
    )
    accepted = await call.services.gateway.submit(command)
    made = MadeDonation(id=accepted.reply["donation_id"])
    return Answer(Listing[MadeDonation](data=[made]), accepted.token)


async def list_donations(call: Call[DonationsQuery, Nothing]) -> Answer:
    query = call.query
    await require_open(call, query.broadcaster_id)
    after = query.place(by_time)
    rows = await call.services.database.rows(_SQL, query.broadcaster_id, *after, query.first + 1)
    page, pagination = paged(rows, query.first, by_time, lambda row: (row["donated_at"], row["donation_id"]))
    return Answer(Page[Donation](data=[_donation(row) for row in page], pagination=pagination))


def _donation(row: Record) -> Donation:
    return Donation(
        id=row["donation_id"],
        broadcaster_id=row["channel_id"],
        user_id=row["donor_id"],
        user_login=row["login"],
        user_name=row["display_name"],
        amount=Amount(value=row["amount_minor"], currency=row["currency"]),
        message=row["message"],
        donated_at=row["donated_at"],
    )


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/helix/donations",
        tag="Donations",
        summary="Get a channel's donations",
        description="Newest first. Of a channel that is not public, for who may watch it or helps to run it. What was "
        "deleted from the chat is not said here either.",
        handler=list_donations,
        query=DonationsQuery,
        body=Nothing,
        answer=Page[Donation],
        rejections=(403,),
    ),
    Endpoint(
        method="POST",
        path="/helix/donations",
        tag="Donations",
        summary="Donate to a channel",
        description="What is said with it is shown in the chat: the channel's bans and AutoMod hold for it.",
        handler=donate,
        query=Nothing,
        body=NewDonation,
        answer=Listing[MadeDonation],
        scope="user:write:donations",
        mutates=True,
        rejections=(404, 422),
    ),
)

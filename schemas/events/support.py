"""What viewers give to channels. Key: channel id."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.message import Event, personal


class DonationReceived(Event):
    """A viewer gave money."""

    topic: ClassVar[str] = "support"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    donation_id: str
    donor_id: str
    amount_minor: int = Field(description="In the currency's minor unit, such as cents.")
    currency: str = Field(description="ISO 4217 code.")
    message: str = Field(default="", json_schema_extra=personal("donor_id"))
    donor_login: str = Field(default="", json_schema_extra=personal("donor_id"))
    donor_name: str = Field(default="", json_schema_extra=personal("donor_id"), description="As displayed.")
    emotes: str = Field(default="", description="Where emotes stand in the message: `id:first-last,…/id:…`.")


class UserSubscribed(Event):
    """A viewer subscribed, or changed the tier."""

    topic: ClassVar[str] = "support"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    subscriber_id: str
    tier: str = Field(description="1000, 2000 or 3000.")
    since: types.DateTimeMicro = Field(description="When the unbroken time of subscribing began, UTC.")
    subscriber_login: str = Field(default="", json_schema_extra=personal("subscriber_id"))
    subscriber_name: str = Field(default="", json_schema_extra=personal("subscriber_id"), description="As displayed.")


class UserUnsubscribed(Event):
    """A viewer's subscription ended."""

    topic: ClassVar[str] = "support"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    subscriber_id: str


def months_of(since: datetime, now: datetime) -> int:
    """The month that a subscription is in, of 30 days, counted from 1: a badge's number."""
    return max(0, (now - since).days) // 30 + 1

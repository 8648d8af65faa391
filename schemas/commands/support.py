"""Commands that move money to a channel. Key: channel id. The actor is the giver."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.message import Command, personal


class Donate(Command):
    """Give money."""

    topic: ClassVar[str] = "commands.support"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    donation_id: str
    amount_minor: int = Field(description="In the currency's minor unit.")
    currency: str = Field(description="ISO 4217 code.")
    message: str = Field(default="", json_schema_extra=personal("actor"))
    donor_login: str = Field(default="", json_schema_extra=personal("actor"))
    donor_name: str = Field(default="", json_schema_extra=personal("actor"))


class Subscribe(Command):
    """Subscribe, or change the tier. The actor is the subscriber; nothing is paid."""

    topic: ClassVar[str] = "commands.support"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    tier: str = Field(default="1000", description="1000, 2000 or 3000.")
    subscriber_login: str = Field(default="", json_schema_extra=personal("actor"))
    subscriber_name: str = Field(default="", json_schema_extra=personal("actor"))


class Unsubscribe(Command):
    """End one's subscription."""

    topic: ClassVar[str] = "commands.support"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str

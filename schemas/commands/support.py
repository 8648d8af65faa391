"""Commands that move money to a channel. Key: channel id. The actor is the giver."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.message import PERSONAL, Command


class Donate(Command):
    """Give money."""

    topic: ClassVar[str] = "commands.support"
    key_field: ClassVar[str] = "channel_id"
    channel_id: str
    donation_id: str
    amount_minor: int = Field(description="In the currency's minor unit.")
    currency: str = Field(description="ISO 4217 code.")
    message: str = Field(default="", json_schema_extra=PERSONAL)

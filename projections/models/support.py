"""Donations."""

from __future__ import annotations

from operator import itemgetter

from projections.contract import Fields
from projections.tables import INSERT, Change, Model, Table

DONATIONS = Table(
    "donations",
    {
        "donation_id": "text",
        "channel_id": "text",
        "donor_id": "text",
        "amount_minor": "bigint",
        "currency": "text",
        "message": "text",
        "donated_at": "timestamptz",
    },
    append_only=True,
    indexes=("(channel_id, donated_at DESC, donation_id)",),
)

_row = itemgetter("donation_id", "channel_id", "donor_id", "amount_minor", "currency", "message", "occurred_at")


def _donation_received(e: Fields) -> Change:
    return Change(DONATIONS, _row(e), INSERT)


MODEL = Model(name="support", topic="support", tables=(DONATIONS,), on={"DonationReceived": _donation_received})

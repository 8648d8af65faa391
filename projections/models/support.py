"""What viewers give: donations, and who subscribes now."""

from __future__ import annotations

from operator import itemgetter

from projections.contract import Fields
from projections.tables import INSERT, REPLACE, Change, Model, Subject, Table

DONATIONS = Table(
    "donations",
    {
        "donation_id": "text",
        "channel_id": "text",
        "donor_id": "text",
        "amount_minor": "bigint",
        "currency": "text",
        "message": "text",
        "donor_login": "text",
        "donor_name": "text",
        "emotes": "text",
        "donated_at": "timestamptz",
    },
    personal=dict.fromkeys(("message", "donor_login", "donor_name"), Subject("donor_id")),
    append_only=True,
    indexes=(
        "(channel_id, donated_at DESC, donation_id DESC)",
        "(channel_id, donated_at DESC, donation_id DESC) WHERE message <> ''",
        "(channel_id, donor_id, donated_at DESC, donation_id DESC) WHERE message <> ''",
    ),
)

SUBSCRIPTIONS = Table(
    "subscriptions",
    {"channel_id": "text", "subscriber_id": "text", "tier": "text", "since": "timestamptz"},
    key_width=2,
    indexes=("(channel_id, since DESC, subscriber_id DESC)",),
)

_row = itemgetter(
    "donation_id",
    "channel_id",
    "donor_id",
    "amount_minor",
    "currency",
    "message",
    "donor_login",
    "donor_name",
    "emotes",
    "occurred_at",
)


def _donation_received(e: Fields) -> Change:
    return Change(DONATIONS, _row(e), INSERT)


def _user_subscribed(e: Fields) -> Change:
    return Change(SUBSCRIPTIONS, (e["channel_id"], e["subscriber_id"], e["tier"], e["since"]), REPLACE)


def _user_unsubscribed(e: Fields) -> Change:
    return SUBSCRIPTIONS.delete(e["channel_id"], e["subscriber_id"])


MODEL = Model(
    name="support",
    topic="support",
    tables=(DONATIONS, SUBSCRIPTIONS),
    on={
        "DonationReceived": _donation_received,
        "UserSubscribed": _user_subscribed,
        "UserUnsubscribed": _user_unsubscribed,
    },
    revision=3,
)

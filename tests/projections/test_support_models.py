"""Given what viewers gave, the read models hold these rows."""

from __future__ import annotations

from projections.models import support
from tests.projections.folding import at, record, tables_after

OF_CHANNEL = {"channel_id": "1"}


def test_donations() -> None:
    donation = {
        "donation_id": "d1",
        "channel_id": "1",
        "donor_id": "2",
        "amount_minor": 500,
        "currency": "EUR",
        "message": "Thanks :wave:",
        "donor_login": "bob",
        "donor_name": "Bob",
        "emotes": "1f44b:7-12",
    }
    tables = tables_after(support.MODEL, record("DonationReceived", 0, **donation))
    assert tables["donations"] == [{**donation, "donated_at": at(0)}]


def test_a_subscription_is_there_until_it_ends() -> None:
    log = [
        record("UserSubscribed", 1, **OF_CHANNEL, subscriber_id="2", tier="1000", since=at(1)),
        record("UserSubscribed", 2, **OF_CHANNEL, subscriber_id="2", tier="3000", since=at(1)),
        record("UserUnsubscribed", 3, **OF_CHANNEL, subscriber_id="2"),
    ]
    assert tables_after(support.MODEL, *log[:2])["subscriptions"] == [
        {**OF_CHANNEL, "subscriber_id": "2", "tier": "3000", "since": at(1)}
    ]
    assert tables_after(support.MODEL, *log)["subscriptions"] == []

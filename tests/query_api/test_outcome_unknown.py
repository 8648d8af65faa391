"""The deciders stand still while a command is under way."""

from __future__ import annotations

import signal
import uuid

import pytest

from tests.query_api.conftest import Edge

pytestmark = [pytest.mark.stack, pytest.mark.faults]


def test_an_unknown_outcome_is_said_and_a_retry_with_the_key_does_it_once(edge: Edge) -> None:
    viewer, streamer = edge.member("viewer"), edge.register()
    donation = {"broadcaster_id": streamer.id, "amount": {"value": 900, "currency": "EUR"}}
    key = str(uuid.uuid4())
    edge.deciders.send_signal(signal.SIGSTOP)
    try:
        unknown = viewer.ask("POST", "/helix/donations", json=donation, key=key)
    finally:
        edge.deciders.send_signal(signal.SIGCONT)
    assert unknown.status_code == 503
    assert int(unknown.headers["Retry-After"]) >= 1
    assert "Idempotency-Key" in unknown.json()["message"]
    done = viewer.ask("POST", "/helix/donations", json=donation, key=key)
    assert done.status_code == 200, done.text
    listed = viewer.ask(
        "GET", "/helix/donations", params={"broadcaster_id": streamer.id}, after=done.headers["Tally-Consistency"]
    )
    assert [item["id"] for item in listed.json()["data"]] == [done.json()["data"][0]["id"]]

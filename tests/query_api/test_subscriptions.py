"""Subscribing, who sees it, and what it opens."""

from __future__ import annotations

from typing import Any

import pytest

from query_api.services import GIFTS_PER_USER
from tests.query_api.asking import as_moderator, done, made, refused, say
from tests.query_api.conftest import Edge, Member
from tests.query_api.test_playback_tokens import ask, go_live, granted, refusal

pytestmark = pytest.mark.stack

PATH = "/helix/subscriptions"


@pytest.fixture
def owner(edge: Edge) -> Member:
    return edge.register(display_name="The Owner")


@pytest.fixture(scope="module")
def fan(edge: Edge) -> Member:
    return edge.register(display_name="The Fan")


def subscribe(fan: Member, owner: Member, tier: str = "1000") -> str:
    return done(fan.ask("POST", PATH, json={"broadcaster_id": owner.id, "tier": tier}))


def subscription(fan: Member, owner: Member, after: str = "") -> Any:
    query = {"broadcaster_id": owner.id, "user_id": fan.id}
    return fan.ask("GET", f"{PATH}/user", params=query, after=after)


def test_a_viewer_subscribes_changes_the_tier_and_stops(owner: Member, fan: Member) -> None:
    subscribe(fan, owner)
    changed = subscribe(fan, owner, "3000")
    assert made(subscription(fan, owner, changed))["tier"] == "3000"
    stopped = done(fan.ask("DELETE", PATH, params={"broadcaster_id": owner.id}))
    assert refused(subscription(fan, owner, stopped)) == (404, "not_subscribed")
    assert refused(fan.ask("DELETE", PATH, params={"broadcaster_id": owner.id})) == (404, "not_subscribed")


def test_the_owner_sees_who_subscribes(owner: Member, fan: Member) -> None:
    seen = subscribe(fan, owner, "2000")
    answer = owner.ask("GET", PATH, params={"broadcaster_id": owner.id}, after=seen)
    shown = made(answer)
    assert (shown["user_login"], shown["user_name"], shown["tier"]) == (fan.login, "The Fan", "2000")
    assert (shown["broadcaster_name"], shown["is_gift"]) == ("The Owner", False)
    assert (answer.json()["total"], answer.json()["points"]) == (1, 2)
    assert refused(fan.ask("GET", PATH, params={"broadcaster_id": owner.id}))[0] == 403


def test_whoever_gives_too_often_waits(edge: Edge, owner: Member) -> None:
    fan = edge.register()
    query = {"broadcaster_id": owner.id, "amount": {"value": 1, "currency": "EUR"}}
    answers = (fan.ask("POST", "/helix/donations", json=query) for _ in range(GIFTS_PER_USER * 10))
    spent = next(answer for answer in answers if answer.status_code != 200)
    assert refused(spent)[0] == 429
    assert int(spent.headers["Retry-After"]) >= 1
    assert refused(fan.ask("POST", PATH, json={"broadcaster_id": owner.id}))[0] == 429


def test_nobody_subscribes_to_themselves_or_to_nobody(owner: Member) -> None:
    itself = owner.ask("POST", PATH, json={"broadcaster_id": owner.id})
    assert refused(itself) == (400, "cannot_subscribe_to_self")
    assert refused(owner.ask("POST", PATH, json={"broadcaster_id": "1"})) == (404, "unknown_channel")


def test_a_subscriber_speaks_where_only_subscribers_do(owner: Member, fan: Member) -> None:
    mode = {"subscriber_mode": True}
    owner.ask("PATCH", "/helix/chat/settings", params=as_moderator(owner, owner), json=mode)
    assert made(say(fan, owner, "hello"))["drop_reason"]["code"] == "msg_subsonly"
    subscribe(fan, owner)
    assert made(say(fan, owner, "hello"))["is_sent"] is True


def test_a_subscriber_watches_what_only_subscribers_do(edge: Edge, owner: Member, fan: Member) -> None:
    _, started = go_live(edge, owner, "subscribers")
    assert refusal(ask(fan, owner, after=started), 403) == "subscribers"
    subscribe(fan, owner)
    seen = subscribe(fan, owner, "2000")
    made(subscription(fan, owner, seen))
    assert granted(ask(fan, owner))["token"]


def test_a_private_stream_stays_so_for_subscribers(edge: Edge, owner: Member, fan: Member) -> None:
    seen = subscribe(fan, owner)
    made(subscription(fan, owner, seen))
    _, started = go_live(edge, owner, "private")
    assert refusal(ask(fan, owner, after=started), 403) == "private"

"""What moderators and owners have is closed to everybody else: at every endpoint, for each kind of impostor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
import pytest

from query_api.endpoints import ENDPOINTS
from schemas.events.chat import MessageHeld
from tests.query_api.asking import appoint, as_moderator, done, listed, made, refused, say
from tests.query_api.conftest import PASSWORD, Edge, Member

pytestmark = pytest.mark.stack

MODERATION = "/helix/moderation"
THEIRS = ("moderator:", "moderation:", "channel:manage:moderators", "channel:manage:vips", "channel:read:vips")
"""Scopes of what only who runs a channel may do."""


@dataclass(frozen=True)
class House:
    """A channel with something of everything that moderators deal with."""

    edge: Edge
    owner: Member
    viewer: Member
    held_id: str


class Door(NamedTuple):
    """A request: of what its caller says to be. `owners` is for the owner alone."""

    method: str
    path: str
    query: Callable[[House, Member], dict[str, Any]] = lambda house, who: as_moderator(who, house.owner)
    body: Callable[[House, Member], dict[str, Any]] | None = None
    owners: bool = False


def _role(house: House, who: Member) -> dict[str, Any]:
    return {"broadcaster_id": house.owner.id, "user_id": house.viewer.id}


def _channel(house: House, who: Member) -> dict[str, Any]:
    return {"broadcaster_id": house.owner.id}


def _with(**more: Any) -> Callable[[House, Member], dict[str, Any]]:
    return lambda house, who: as_moderator(who, house.owner, **more)


def _nothing(house: House, who: Member) -> dict[str, Any]:
    return {}


def _undo(house: House, who: Member) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {"broadcaster_id": house.owner.id, "user_id": house.viewer.id, "started_at": now, "ended_at": now}


DOORS = (
    Door("DELETE", f"{MODERATION}/chat"),
    Door("POST", "/helix/chat/announcements", body=lambda house, who: {"message": "hear me"}),
    Door("GET", "/helix/chat/chatters"),
    Door("PATCH", "/helix/chat/settings", body=lambda house, who: {"emote_mode": True}),
    Door("POST", f"{MODERATION}/bans", body=lambda house, who: {"data": {"user_id": house.viewer.id, "duration": 60}}),
    Door("DELETE", f"{MODERATION}/bans", lambda house, who: as_moderator(who, house.owner, user_id=house.viewer.id)),
    Door("GET", f"{MODERATION}/banned", _channel),
    Door("GET", f"{MODERATION}/blocked_terms"),
    Door("POST", f"{MODERATION}/blocked_terms", body=lambda house, who: {"text": "spoiler"}),
    Door("DELETE", f"{MODERATION}/blocked_terms", _with(id="none")),
    Door("GET", f"{MODERATION}/automod/settings"),
    Door("PUT", f"{MODERATION}/automod/settings", body=lambda house, who: {"overall_level": 0}),
    Door("GET", f"{MODERATION}/automod/message"),
    Door(
        "POST",
        f"{MODERATION}/automod/message",
        _nothing,
        lambda house, who: {"user_id": who.id, "msg_id": house.held_id, "action": "ALLOW"},
    ),
    Door("GET", f"{MODERATION}/unban_requests"),
    Door("PATCH", f"{MODERATION}/unban_requests", _with(unban_request_id="none", status="approved")),
    Door(
        "POST", f"{MODERATION}/warnings", body=lambda house, who: {"data": {"user_id": house.viewer.id, "reason": "x"}}
    ),
    Door("GET", f"{MODERATION}/shield_mode"),
    Door("PUT", f"{MODERATION}/shield_mode", body=lambda house, who: {"is_active": True}),
    Door("GET", f"{MODERATION}/actions", _channel),
    Door("GET", f"{MODERATION}/moderators", _channel),
    Door("GET", "/helix/channels/vips", _channel),
    Door("POST", f"{MODERATION}/moderators", _role, owners=True),
    Door("DELETE", f"{MODERATION}/moderators", _role, owners=True),
    Door("POST", "/helix/channels/vips", _role, owners=True),
    Door("DELETE", "/helix/channels/vips", _role, owners=True),
    Door("POST", f"{MODERATION}/undo", _nothing, _undo, owners=True),
)
EACH = pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.method} {door.path}")


def ask(who: Member, door: Door, house: House, pretending: Member | None = None) -> httpx.Response:
    """`pretending` is whose id the request carries."""
    named = pretending or who
    body = None if door.body is None else door.body(house, named)
    return who.ask(door.method, door.path, params=door.query(house, named), json=body)


@pytest.fixture(scope="module")
def house(edge: Edge) -> House:
    owner, viewer = edge.register(), edge.member("bob")
    held_id = f"held-{owner.id}"
    held: dict[str, Any] = {
        "event_id": held_id,
        "occurred_at": datetime.now(UTC),
        "actor": viewer.id,
        "correlation_id": "tests",
        "channel_id": owner.id,
        "message_id": held_id,
        "sender_id": viewer.id,
        "sender_login": viewer.login,
        "text": "held back",
        "rule": "category",
    }
    seen = edge.append(MessageHeld(**held))
    path = f"{MODERATION}/automod/message"
    assert listed(owner.ask("GET", path, params=as_moderator(owner, owner), after=seen))
    return House(edge, owner, viewer, held_id)


def _impostors(house: House) -> Iterator[tuple[str, Member]]:
    edge = house.edge
    yield "a stranger", edge.register()
    elsewhere, theirs = edge.register(), edge.register()
    appoint(theirs, elsewhere)
    yield "another channel's moderator", elsewhere
    banned = edge.register()
    ban = {"data": {"user_id": banned.id}}
    made(house.owner.ask("POST", f"{MODERATION}/bans", params=as_moderator(house.owner, house.owner), json=ban))
    yield "somebody banned", banned
    former = edge.register()
    appoint(house.owner, former)
    role = {"broadcaster_id": house.owner.id, "user_id": former.id}
    taken = done(house.owner.ask("DELETE", f"{MODERATION}/moderators", params=role))
    listed(house.owner.ask("GET", f"{MODERATION}/moderators", params=_channel(house, former), after=taken))
    yield "a moderator of yesterday", former
    vip = edge.register()
    role = {"broadcaster_id": house.owner.id, "user_id": vip.id}
    done(house.owner.ask("POST", "/helix/channels/vips", params=role))
    yield "a VIP", vip


@pytest.fixture(scope="module")
def impostors(house: House) -> dict[str, Member]:
    return dict(_impostors(house))


@pytest.fixture(scope="module")
def moderator(house: House) -> Member:
    moderator = house.edge.register()
    appointed = appoint(house.owner, moderator)
    query = _channel(house, moderator)
    listed(house.owner.ask("GET", f"{MODERATION}/moderators", params=query, after=appointed))
    return moderator


@pytest.fixture(scope="module")
def limited(house: House) -> Member:
    """The owner, with a token for something else."""
    owner = house.owner
    form = {"grant_type": "password", "username": owner.login, "password": PASSWORD, "scope": "user:read:follows"}
    return replace(owner, token=house.edge.client.post("/oauth2/token", data=form).json()["access_token"])


def test_every_endpoint_of_theirs_is_tried_here() -> None:
    theirs = {
        (endpoint.method, endpoint.path)
        for endpoint in ENDPOINTS
        if endpoint.scope is not None and endpoint.scope.startswith(THEIRS)
    }
    assert {(door.method, door.path) for door in DOORS} == theirs


@EACH
def test_nobody_else_gets_in(house: House, impostors: dict[str, Member], door: Door) -> None:
    for kind, impostor in impostors.items():
        assert refused(ask(impostor, door, house))[0] == 403, kind


@EACH
def test_nobody_gets_in_under_the_owners_name(house: House, impostors: dict[str, Member], door: Door) -> None:
    for kind, impostor in impostors.items():
        assert refused(ask(impostor, door, house, pretending=house.owner))[0] == 403, kind


@EACH
def test_nobody_gets_in_with_a_forged_token_or_one_for_something_else(
    house: House, limited: Member, door: Door
) -> None:
    answer = ask(limited, door, house)
    assert refused(answer)[0] == 403
    assert "scope" in answer.json()["message"]
    assert refused(ask(replace(limited, token="forged"), door, house))[0] == 401


@EACH
def test_who_belongs_there_is_let_in(house: House, moderator: Member, door: Door) -> None:
    """Else a door that is shut to everybody would pass for a guarded one."""
    answer = ask(house.owner if door.owners else moderator, door, house)
    assert answer.status_code not in (401, 403), answer.text
    if door.owners:
        assert refused(ask(moderator, door, house))[0] == 403


def test_a_moderator_does_not_turn_on_the_owner_or_on_another(house: House, moderator: Member) -> None:
    colleague = house.edge.register()
    appoint(house.owner, colleague)
    for target in (house.owner, colleague):
        for path, more in ((f"{MODERATION}/bans", {}), (f"{MODERATION}/warnings", {"reason": "x"})):
            body = {"data": {"user_id": target.id, **more}}
            answer = moderator.ask("POST", path, params=as_moderator(moderator, house.owner), json=body)
            assert refused(answer) in ((400, "bad_target"), (403, "unauthorised"))
    theirs = made(say(colleague, house.owner, "mine"))["message_id"]
    query = as_moderator(moderator, house.owner, message_id=theirs)
    assert refused(moderator.ask("DELETE", f"{MODERATION}/chat", params=query)) == (403, "unauthorised")

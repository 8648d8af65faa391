"""Short ways to ask the edge as a member, and to read what it answers."""

from __future__ import annotations

from typing import Any

import httpx

from tests.query_api.conftest import Member


def done(answer: httpx.Response) -> str:
    """The consistency token of a write that has no answer."""
    assert answer.status_code == 204, answer.text
    assert answer.content == b""
    token: str = answer.headers.get("Tally-Consistency", "")
    return token


def made(answer: httpx.Response) -> dict[str, Any]:
    """The one thing in the answer."""
    assert answer.status_code == 200, answer.text
    (thing,) = answer.json()["data"]
    assert isinstance(thing, dict)
    return thing


def listed(answer: httpx.Response) -> list[dict[str, Any]]:
    """The things in the answer."""
    assert answer.status_code == 200, answer.text
    things: list[dict[str, Any]] = answer.json()["data"]
    return things


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and code; the body is Helix's and says what to do."""
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["message"]
    return answer.status_code, body.get("code", "")


def as_moderator(moderator: Member, channel: Member, **more: Any) -> dict[str, Any]:
    """The parameters that Helix's moderation endpoints take."""
    return {"broadcaster_id": channel.id, "moderator_id": moderator.id, **more}


def appoint(owner: Member, moderator: Member) -> str:
    """Make somebody a moderator; the consistency token."""
    query = {"broadcaster_id": owner.id, "user_id": moderator.id}
    return done(owner.ask("POST", "/helix/moderation/moderators", params=query))


def say(speaker: Member, channel: Member, text: str, key: str = "", **more: Any) -> httpx.Response:
    body = {"broadcaster_id": channel.id, "sender_id": speaker.id, "message": text, **more}
    return speaker.ask("POST", "/helix/chat/messages", json=body, key=key)

"""Who gets a playback token, for whom, and that it opens just what it should."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from query_api.app import create_app
from query_api.scopes import SCOPES
from schemas.events.streams import StreamStarted
from tests.query_api.conftest import PASSWORD, Edge, Member
from tests.query_api.test_playback_links import COOKIES, cloudfront_settings
from topology.playback_keys import PlaybackKeys
from topology.playback_tokens import Claims, claims_of

pytestmark = pytest.mark.stack

PATH = "/helix/streams/playback_token"


@pytest.fixture(scope="module")
def owner(edge: Edge) -> Member:
    return edge.register()


@pytest.fixture(scope="module")
def viewer(edge: Edge) -> Member:
    return edge.member("viewer")


def go_live(edge: Edge, owner: Member, policy: str) -> tuple[str, str]:
    """The stream's id and the consistency token of its start."""
    stream_id = str(uuid.uuid4())
    tree = "live" if policy == "public" else "private"
    envelope: dict[str, Any] = {"event_id": str(uuid.uuid4()), "occurred_at": datetime.now(UTC)}
    started = StreamStarted(
        **envelope,
        actor="system:tests",
        correlation_id="tests",
        stream_id=stream_id,
        channel_id=owner.id,
        session_id="s",
        node="n",
        playback_path=f"/{tree}/{stream_id}/index.m3u8",
        playback_policy=policy,
    )
    return stream_id, edge.append(started, partitioned_by=owner.id)


def ask(asker: Member, owner: Member, after: str = "", **wish: Any) -> httpx.Response:
    return asker.ask("POST", PATH, after=after, json={"broadcaster_id": owner.id, **wish})


def granted(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    (token,) = answer.json()["data"]
    assert isinstance(token, dict)
    return token


def claims(edge: Edge, token: str) -> Claims:
    keys = PlaybackKeys.of(edge.settings)
    return claims_of(token, lambda kid: keys.verifier(kid, time.time()))


def refusal(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    code: str = answer.json().get("code", "")
    return code


def test_a_channel_is_public_until_its_owner_says_otherwise(edge: Edge, owner: Member) -> None:
    query = {"broadcaster_id": owner.id}
    before = owner.ask("GET", "/helix/channels", params=query).json()["data"][0]
    change = owner.ask("PATCH", "/helix/channels", params=query, json={"playback_policy": "private"})
    assert change.status_code == 204
    seen = change.headers["Tally-Consistency"]
    after = owner.ask("GET", "/helix/channels", params=query, after=seen).json()["data"][0]
    assert (before["playback_policy"], after["playback_policy"]) == ("public", "private")
    wrong = owner.ask("PATCH", "/helix/channels", params=query, json={"playback_policy": "friends"})
    assert wrong.status_code == 400


def test_the_owner_gets_a_token_for_all_of_the_stream(edge: Edge, owner: Member) -> None:
    stream_id, started = go_live(edge, owner, "private")
    (shown,) = owner.ask("GET", "/helix/streams", params={"user_id": owner.id}, after=started).json()["data"]
    assert shown["playback_policy"] == "private"
    token = granted(ask(owner, owner, duration_s=60))
    assert token["playback_url"] == f"{shown['playback_url']}?token={token['token']}"
    assert (token["query"], token["cookies"]) == (f"token={token['token']}", {})
    said = claims(edge, token["token"])
    assert (said.stream_id, said.path) == (stream_id, f"/private/{stream_id}/")
    assert (said.viewer, said.country) == (None, None)
    assert said.expires_s == datetime.fromisoformat(token["expires_at"]).timestamp()
    assert 0 < said.expires_s - time.time() <= 60


def test_the_owner_signs_for_others(edge: Edge, owner: Member, viewer: Member) -> None:
    _, started = go_live(edge, owner, "private")
    token = granted(ask(owner, owner, after=started, viewer_id=viewer.id, country="DE"))
    said = claims(edge, token["token"])
    assert (said.viewer, said.country) == (viewer.id, "DE")


@pytest.mark.parametrize(("policy", "code"), [("private", "private"), ("subscribers", "subscribers")])
def test_others_are_told_why_they_may_not_watch(
    edge: Edge, owner: Member, viewer: Member, policy: str, code: str
) -> None:
    _, started = go_live(edge, owner, policy)
    refused = ask(viewer, owner, after=started)
    assert refusal(refused, 403) == code
    assert refused.json()["message"]
    assert granted(ask(owner, owner))["token"]


def test_only_the_owner_signs_for_others(edge: Edge, owner: Member, viewer: Member) -> None:
    _, started = go_live(edge, owner, "private")
    assert refusal(ask(viewer, owner, after=started, viewer_id=owner.id), 403) == "not_owner"


def test_a_public_stream_needs_no_token(edge: Edge, owner: Member) -> None:
    _, started = go_live(edge, owner, "public")
    assert refusal(ask(owner, owner, after=started), 409) == "stream_public"


def test_a_channel_that_is_not_live_has_nothing_to_sign_for(viewer: Member) -> None:
    assert refusal(ask(viewer, viewer), 404) == "not_live"


@pytest.mark.parametrize(
    "wish", [{"duration_s": 9}, {"duration_s": 3601}, {"country": "de"}, {"viewer_id": "me"}, {"stream": "1"}]
)
def test_wishes_have_limits(owner: Member, wish: dict[str, Any]) -> None:
    answer = ask(owner, owner, **wish)
    assert answer.status_code == 400
    assert next(iter(wish)) in answer.json()["message"]


def test_with_cloudfront_the_answer_is_signed_for_it(edge: Edge, owner: Member, tmp_path: Path) -> None:
    stream_id, started = go_live(edge, owner, "private")
    settings = cloudfront_settings(tmp_path, **edge.settings.model_dump(include={"postgres_dsn", "kafka_bootstrap"}))
    headers = {"Authorization": f"Bearer {owner.token}", "Tally-Consistency": started}
    with TestClient(create_app(settings), headers=headers) as client:
        token = granted(client.post(PATH, json={"broadcaster_id": owner.id}))
        bound = client.post(PATH, json={"broadcaster_id": owner.id, "country": "DE"})
    playlist = f"{settings.cloudfront_base_url}private/{stream_id}/index.m3u8"
    assert token["playback_url"] == f"{playlist}?{token['query']}"
    assert (token["token"], set(token["cookies"])) == ("", set(COOKIES))
    assert bound.status_code == 400
    assert "country" in bound.json()["message"]


def test_it_needs_its_scope(edge: Edge, owner: Member) -> None:
    assert edge.client.post(PATH, json={"broadcaster_id": owner.id}).status_code == 401
    others = " ".join(scope for scope in SCOPES if scope != "user:manage:playback")
    form = {"grant_type": "password", "username": owner.login, "password": PASSWORD, "scope": others}
    token = edge.client.post("/oauth2/token", data=form).json()["access_token"]
    limited = Member(edge.client, owner.login, owner.id, token)
    refused = ask(limited, owner)
    assert refused.status_code == 403
    assert "user:manage:playback" in refused.json()["message"]

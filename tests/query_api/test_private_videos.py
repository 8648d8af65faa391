"""A private stream's recording and clips: made, listed to its owner, and played with a token only."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from query_api.endpoints.videos import helix_duration
from query_api.scopes import SCOPES
from tests.engines import answers
from tests.ingest.recording.takes import PATIENCE_S
from tests.ingest.rtmp.house import encoder, eventually
from tests.query_api.conftest import PASSWORD, Edge, Member, process
from tests.query_api.test_videos import key_of, seconds_of

pytestmark = pytest.mark.stack

TOKEN = "/helix/streams/playback_token"


@pytest.fixture(scope="module")
def ingest(edge: Edge) -> Iterator[subprocess.Popen[bytes]]:
    url = f"{edge.settings.playback_url}/health/ready"
    with process("ingest", edge.settings, lambda: answers(url)) as running:
        yield running


@pytest.fixture(scope="module")
def owner(edge: Edge, ingest: subprocess.Popen[bytes]) -> Member:
    member = edge.register(display_name="The Private")
    query = {"broadcaster_id": member.id}
    changed = member.ask("PATCH", "/helix/channels", params=query, json={"playback_policy": "private"})
    assert changed.status_code == 204
    return member


@pytest.fixture(scope="module")
def clip(edge: Edge, owner: Member) -> dict[str, Any]:
    """A clip that the owner made while the stream was live, of a stream that is over."""
    key = owner.ask("POST", "/helix/streams/key").json()["data"][0]["stream_key"]
    publisher = encoder(edge.settings.rtmp_port, key)
    try:
        stream = eventually(lambda: listed(owner, "/helix/streams", user_id=owner.id), PATIENCE_S)[0]
        assert stream["playback_policy"] == "private"
        stranger = edge.member("viewer")
        wish = {"broadcaster_id": owner.id, "duration": 5}
        eventually(lambda: stranger.ask("POST", "/helix/clips", params=wish).status_code == 403, PATIENCE_S)
        assert stranger.ask("POST", "/helix/clips", params=wish).json()["code"] == "private"
        made = owner.ask("POST", "/helix/clips", params=wish)
        assert made.status_code == 202, made.text
        clip_id = made.json()["data"][0]["id"]
        found: dict[str, Any] = eventually(lambda: listed(owner, "/helix/clips", id=clip_id), PATIENCE_S)[0]
    finally:
        publisher.send_signal(signal.SIGINT)
        publisher.wait()
        assert publisher.stderr
        publisher.stderr.close()
    return found


@pytest.fixture(scope="module")
def video(edge: Edge, clip: dict[str, Any], owner: Member) -> dict[str, Any]:
    owner.ask("DELETE", "/helix/streams/key", params={"key_id": key_of(owner)})
    found: dict[str, Any] = eventually(lambda: listed(owner, "/helix/videos", user_id=owner.id), PATIENCE_S)[0]
    return found


def listed(member: Member, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = member.ask("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def test_the_owner_plays_the_recording_from_the_list(video: dict[str, Any]) -> None:
    assert (video["viewable"], video["playback_policy"], video["complete"]) == ("private", "private", True)
    address, _, query = video["url"].partition("?")
    assert address.endswith(f"/private/{video['id']}/vod/index.m3u8")
    assert query.startswith("token=")
    played = seconds_of(video["url"])
    assert video["duration"] in {helix_duration(round(played * 1000) + slack) for slack in (-300, 0, 300)}
    assert httpx.get(address).json()["code"] == "token_missing"


def test_the_owner_sees_the_pictures_from_the_list(video: dict[str, Any]) -> None:
    cover = video["thumbnail_url"].replace("%{width}", "320").replace("%{height}", "180")
    for address in (cover, video["thumbnails_url"]):
        assert httpx.get(address).status_code == 200
        assert httpx.get(address.partition("?")[0]).json()["code"] == "token_missing"


def test_the_owner_plays_the_clip_from_the_list(clip: dict[str, Any]) -> None:
    assert seconds_of(clip["url"]) == pytest.approx(clip["duration"], abs=0.2)
    assert httpx.get(clip["url"].partition("?")[0]).json()["code"] == "token_missing"


def test_nobody_else_sees_them(edge: Edge, owner: Member, clip: dict[str, Any], video: dict[str, Any]) -> None:
    others = " ".join(scope for scope in SCOPES if scope != "user:manage:playback")
    form = {"grant_type": "password", "username": owner.login, "password": PASSWORD, "scope": others}
    token = edge.client.post("/oauth2/token", data=form).json()["access_token"]
    limited = Member(edge.client, owner.login, owner.id, token)
    for path, id_, whose in (
        ("/helix/videos", video["id"], {"user_id": owner.id}),
        ("/helix/clips", clip["id"], {"broadcaster_id": owner.id}),
    ):
        for query in ({"id": id_}, whose):
            assert edge.client.get(path, params=query).json()["data"] == []
            assert listed(edge.member("viewer"), path, **query) == []
            assert listed(limited, path, **query) == []


def test_the_owner_lets_others_watch_a_video_or_a_clip(
    edge: Edge, owner: Member, clip: dict[str, Any], video: dict[str, Any]
) -> None:
    for wish in ({"video_id": video["id"]}, {"clip_id": clip["id"]}):
        made = owner.ask("POST", TOKEN, json={"broadcaster_id": owner.id, **wish})
        assert made.status_code == 200, made.text
        assert seconds_of(made.json()["data"][0]["playback_url"]) > 1
        refused = edge.member("viewer").ask("POST", TOKEN, json={"broadcaster_id": owner.id, **wish})
        assert (refused.status_code, refused.json()["code"]) == (403, "private")


def test_a_token_for_what_is_not_there_or_for_two_things_is_refused(owner: Member) -> None:
    for wish, code in (({"video_id": "none"}, "unknown_video"), ({"clip_id": "none"}, "unknown_clip")):
        refused = owner.ask("POST", TOKEN, json={"broadcaster_id": owner.id, **wish})
        assert (refused.status_code, refused.json()["code"]) == (404, code)
    both = owner.ask("POST", TOKEN, json={"broadcaster_id": owner.id, "video_id": "a", "clip_id": "b"})
    assert both.status_code == 400
    assert "video_id" in both.json()["message"]


def test_only_the_owner_sees_how_the_stream_did(edge: Edge, owner: Member, video: dict[str, Any]) -> None:
    path = f"/streams/{video['stream_id']}/health"
    nobody, somebody = edge.client.get(path), edge.member("viewer").ask("GET", path)
    assert (nobody.status_code, nobody.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert (somebody.status_code, somebody.json()["code"]) == (403, "not_owner")
    assert owner.ask("GET", path).json()["data"][0]["stream_id"] == video["stream_id"]

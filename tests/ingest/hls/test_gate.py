"""What the gate lets through to the origin, and what it answers itself."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingest.hls.gate import COOKIE, EDGE_SECRET_HEADER, REFUSAL_HEADER, VIEWER_HEADER, Gate, PrivateStreams
from topology.playback_keys import KeyFile, PlaybackKeys
from topology.playback_tokens import Claims, sign
from topology.settings import Settings

SECRET = "of-the-cdn"
INDEX, PART = "/private/s-1/index.m3u8", "/private/s-1/audio/part1.0.m4s"
FOREVER = "public, max-age=31536000, immutable"


async def _echo(request: Request) -> Response:
    """What the origin was asked, and the caching that it allows."""
    said = {"path": request.url.path, "query": request.url.query}
    return JSONResponse(said, headers={"Cache-Control": FOREVER})


class Front:
    """A gate before an origin that says what it was asked, and the edge that signs for it."""

    def __init__(self, directory: Path) -> None:
        self.settings = Settings(
            data_dir=directory,
            playback_country_header="CloudFront-Viewer-Country",
            playback_viewer_header="X-Viewer",
            playback_edge_secret=SecretStr(SECRET),
            playback_url="https://play.example",
        )
        self.known = {"s-1", "s-2"}
        self.private = PrivateStreams(lambda stream_id: stream_id in self.known)
        self.private.note("s-1", "private")
        self.private.note("s-2", "subscribers")
        self.private.note("s-3", "public")
        self.now_s = time.time()
        routes = [Route("/{path:path}", _echo)]
        self.gate = Gate(Starlette(routes=routes), self.private, self.settings, clock=lambda: self.now_s)

    def token(self, **changed: Any) -> str:
        kid, key = PlaybackKeys.of(self.settings).signer(self.now_s)
        claims = Claims("s-1", "/private/s-1/", int(self.now_s), int(self.now_s) + 60)
        return sign(replace(claims, **changed), kid, key)

    def ask(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.gate)
            async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(send())

    def status_of(self, path: str, query: str, secret: str = "") -> int:
        """Of a request whose path no client or server has tidied up."""
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request"}

        headers = [(EDGE_SECRET_HEADER.lower().encode(), secret.encode())]
        scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers}
        asyncio.run(self.gate(scope, receive, send))
        status: int = sent[0]["status"]
        return status


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return Front(tmp_path)


def reason(answer: httpx.Response) -> str:
    """Why it was refused, which a page of another site may read too."""
    assert answer.status_code == 403
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["message"]
    assert answer.headers[REFUSAL_HEADER] == answer.json()["code"]
    code: str = answer.json()["code"]
    return code


def test_what_is_public_passes_as_it_is(front: Front) -> None:
    for path in ("/live/s-3/index.m3u8?_HLS_msn=3", "/vod/r-1/index.m3u8", "/health/live"):
        answer = front.ask(path)
        assert answer.json() == {"path": path.partition("?")[0], "query": path.partition("?")[2]}
        assert answer.headers["Cache-Control"] == FOREVER


@pytest.mark.parametrize("stream", ["s-1", "s-2"])
def test_a_private_stream_is_not_in_the_public_tree(front: Front, stream: str) -> None:
    assert reason(front.ask(f"/live/{stream}/index.m3u8")) == "token_missing"
    assert reason(front.ask(f"/%6cive/{stream}/index.m3u8")) == "token_missing"
    assert reason(front.ask(f"/live/{stream}/index.m3u8?token={front.token()}")) == "token_missing"


def test_a_private_recording_is_not_in_the_public_tree(front: Front) -> None:
    assert reason(front.ask("/vod/private/r-1/index.m3u8")) == "token_missing"
    assert reason(front.ask("/vod/%70rivate/r-1/index.m3u8")) == "token_missing"
    assert reason(front.ask(f"/vod/private/s-1/index.m3u8?token={front.token()}")) == "token_missing"


def test_a_token_opens_the_recording_it_is_for(front: Front) -> None:
    token = front.token(stream_id="r-1", path="/private/r-1/vod/")
    answer = front.ask(f"/private/r-1/vod/source/media.m3u8?token={token}")
    assert answer.json() == {"path": "/vod/private/r-1/source/media.m3u8", "query": ""}
    assert answer.headers["Cache-Control"].startswith("private")
    assert "Path=/private/r-1/vod/;" in answer.headers["Set-Cookie"]
    assert reason(front.ask("/private/r-1/vod/index.m3u8")) == "token_missing"
    assert reason(front.ask(f"/private/r-2/vod/index.m3u8?token={token}")) == "other_stream"


def test_what_opens_a_recording_does_not_open_the_live_stream_but_the_other_way_round(front: Front) -> None:
    recording = front.token(path="/private/s-1/vod/")
    assert reason(front.ask(f"{INDEX}?token={recording}")) == "other_path"
    assert front.ask(f"/private/s-1/vod/index.m3u8?token={front.token()}").status_code == 200


def test_a_private_stream_is_refused_without_a_token(front: Front) -> None:
    for path in (INDEX, PART, f"{INDEX}?token=", "/private/unknown/index.m3u8"):
        assert reason(front.ask(path)) == "token_missing"


def test_a_token_opens_it_and_the_origin_never_sees_it(front: Front) -> None:
    answer = front.ask(f"/private/s-1/audio/media.m3u8?_HLS_msn=3&token={front.token()}&_HLS_part=1")
    assert answer.json() == {"path": "/live/s-1/audio/media.m3u8", "query": "_HLS_msn=3&_HLS_part=1"}


def test_a_token_may_come_as_a_query_a_bearer_or_a_cookie(front: Front) -> None:
    token = front.token()
    assert front.ask(f"{PART}?token={token}").status_code == 200
    assert front.ask(PART, Authorization=f"Bearer {token}").status_code == 200
    assert front.ask(PART, Cookie=f"other=1; {COOKIE}={token}").status_code == 200


def test_a_playlist_asked_for_with_a_token_sets_the_cookie_for_its_stream_and_its_time(front: Front) -> None:
    token = front.token()
    cookie = front.ask(f"{INDEX}?token={token}").headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}={token}; Path=/private/s-1/; Max-Age=")
    assert 50 < int(cookie.split("Max-Age=")[1].split(";")[0]) <= 60
    assert cookie.endswith("; HttpOnly; SameSite=None; Secure")
    assert "Set-Cookie" not in front.ask(f"{PART}?token={token}").headers
    assert "Set-Cookie" not in front.ask(INDEX, Authorization=f"Bearer {token}").headers


def test_without_tls_the_cookie_stays_on_its_site(front: Front) -> None:
    plain = front.settings.model_copy(update={"playback_url": "http://127.0.0.1:8081"})
    front.gate = Gate(_echo_app(), front.private, plain)
    assert front.ask(f"{INDEX}?token={front.token()}").headers["Set-Cookie"].endswith("; HttpOnly; SameSite=Lax")


def test_only_the_viewers_own_cache_keeps_what_a_token_opened(front: Front) -> None:
    answer = front.ask(f"{PART}?token={front.token()}")
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"


def test_a_cdn_that_shows_the_secret_needs_no_token_and_may_keep_it_for_all(front: Front) -> None:
    answer = front.ask(PART, **{EDGE_SECRET_HEADER: SECRET})
    assert answer.json()["path"] == "/live/s-1/audio/part1.0.m4s"
    assert answer.headers["Cache-Control"] == FOREVER
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("shown", ["", "of-the-cdn2", "Of-the-cdn"])
def test_a_wrong_secret_is_none(front: Front, shown: str) -> None:
    assert reason(front.ask(PART, **{EDGE_SECRET_HEADER: shown})) == "token_missing"


def test_without_a_secret_in_the_settings_nobody_is_trusted(front: Front) -> None:
    front.gate = Gate(
        _echo_app(), front.private, front.settings.model_copy(update={"playback_edge_secret": SecretStr("")})
    )
    assert reason(front.ask(PART, **{EDGE_SECRET_HEADER: ""})) == "token_missing"


def test_every_wrong_token_is_refused_with_its_reason(front: Front) -> None:
    now_s = int(front.now_s)
    wrong = {
        "other_stream": front.token(stream_id="s-2", path="/private/s-2/"),
        "other_path": front.token(path="/private/s-1/audio/"),
        "token_expired": front.token(expires_s=now_s - 1),
        "token_not_yet_valid": front.token(not_before_s=now_s + 100),
        "other_country": front.token(country="DE"),
        "token_malformed": "x" * 2000,
        "bad_signature": front.token()[:-20] + "A" * 20,
        "unknown_key": "k9" + front.token()[front.token().index(".") :],
    }
    for expected, token in wrong.items():
        assert reason(front.ask(f"{INDEX}?token={token}")) == expected


def test_a_token_that_was_good_expires(front: Front) -> None:
    token = front.token()
    assert front.ask(f"{INDEX}?token={token}").status_code == 200
    front.now_s += 60
    assert reason(front.ask(f"{INDEX}?token={token}")) == "token_expired"


def test_a_token_that_was_good_ends_with_its_key(front: Front) -> None:
    token = front.token(expires_s=int(front.now_s) + 100_000)
    assert front.ask(f"{INDEX}?token={token}").status_code == 200
    KeyFile.of(front.settings).rotate(front.now_s, front.settings.playback_token_longest_s)
    assert front.ask(f"{INDEX}?token={token}").status_code == 200
    assert front.ask(f"{INDEX}?token={front.token()}").status_code == 200, "the new key is known at once"
    front.now_s += front.settings.playback_token_longest_s + 31
    assert reason(front.ask(f"{INDEX}?token={token}")) == "unknown_key"


def test_country_and_viewer_come_from_the_cdns_headers(front: Front) -> None:
    token = front.token(country="DE", viewer="7")
    said = {"CloudFront-Viewer-Country": "DE", "X-Viewer": "7"}
    assert front.ask(f"{INDEX}?token={token}", **said).status_code == 200
    assert reason(front.ask(f"{INDEX}?token={token}", **said | {"X-Viewer": "8"})) == "other_viewer"
    nobody = {"CloudFront-Viewer-Country": "DE"}
    assert reason(front.ask(f"{INDEX}?token={token}", **nobody)) == "other_viewer"
    assert reason(front.ask(f"{INDEX}?token={token}", **said | {"CloudFront-Viewer-Country": "FR"})) == "other_country"


def test_a_good_token_for_a_stream_that_is_not_here_finds_nothing(front: Front) -> None:
    elsewhere = front.token(stream_id="s-9", path="/private/s-9/")
    assert front.ask(f"/private/s-9/index.m3u8?token={elsewhere}").status_code == 404
    public = front.token(stream_id="s-3", path="/private/s-3/")
    assert front.ask(f"/private/s-3/index.m3u8?token={public}").status_code == 404


@pytest.mark.parametrize("name", ["../s-2/index.m3u8", "audio//part1.0.m4s", "./index.m3u8", ".hidden", "a b", "x\n"])
def test_a_path_that_is_not_plain_is_never_the_origins(front: Front, name: str) -> None:
    path = f"/private/s-1/{name}"
    assert front.status_of(path, f"token={front.token()}") == 403
    assert front.status_of(path, "", secret=SECRET) == 404


def test_a_query_of_any_length_is_answered(front: Front) -> None:
    assert front.ask(f"{INDEX}?{'a=1&' * 40}token={front.token()}").status_code == 400


def test_another_site_may_ask_whether_it_may_send_a_bearer(front: Front) -> None:
    answer = front.ask(INDEX, "OPTIONS", Origin="https://app.example")
    assert answer.status_code == 204
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_a_cdn_asks_whether_a_request_is_allowed(front: Front) -> None:
    token = front.token(viewer="7")
    allowed = front.ask("/authorise", **{"X-Original-URI": f"{INDEX}?token={token}", "X-Viewer": "7"})
    assert allowed.status_code == 204
    assert allowed.headers["Cache-Control"] == "no-store"
    assert allowed.headers[VIEWER_HEADER] == "7"
    assert allowed.headers["Set-Cookie"].startswith(f"{COOKIE}={token}; Path=/private/s-1/;")
    by_cookie = front.ask("/authorise", **{"X-Original-URI": PART, "X-Viewer": "7", "Cookie": f"{COOKIE}={token}"})
    assert by_cookie.status_code == 204
    assert "Set-Cookie" not in by_cookie.headers


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("", "token_missing"),
        (INDEX, "token_missing"),
        ("/private/s-2/index.m3u8?token={}", "other_stream"),
        ("/private/s-1/../s-2/index.m3u8?token={}", "other_path"),
        ("/private/s-1/%2e%2e/s-2/index.m3u8?token={}", "other_path"),
        ("http://[/private/s-1/index.m3u8?token={}", "other_path"),
    ],
)
def test_a_cdn_is_told_why_not(front: Front, uri: str, expected: str) -> None:
    assert reason(front.ask("/authorise", **{"X-Original-URI": uri.format(front.token())})) == expected


def test_streams_that_are_gone_are_forgotten(front: Front) -> None:
    front.known = {"s-4"}
    front.private.note("s-4", "private")
    assert "s-4" in front.private
    assert "s-1" not in front.private


def _echo_app() -> Starlette:
    return Starlette(routes=[Route("/{path:path}", _echo)])

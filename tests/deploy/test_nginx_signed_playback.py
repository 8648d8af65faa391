"""deploy/nginx-signed-playback.conf in a real nginx before the real gate: who gets what, and from whose bytes."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ingest.hls.gate import COOKIE, Gate, PrivateStreams
from tests.deploy.nginx import cache_before
from tests.engines import free_ports
from topology.playback_keys import PlaybackKeys
from topology.playback_tokens import Claims, sign
from topology.settings import Settings

pytestmark = pytest.mark.peer

SECRET = "of-this-cdn"
VIEWERS = 50


@dataclass
class Cdn:
    """nginx, the gate and an origin that counts what it is asked."""

    url: str
    settings: Settings
    asked: Counter[str]

    def token(self, stream_id: str = "s-1", lasts_s: int = 60, viewer: str | None = None) -> str:
        now_s = time.time()
        kid, key = PlaybackKeys.of(self.settings).signer(now_s)
        claims = Claims(stream_id, f"/private/{stream_id}/", int(now_s), int(now_s) + lasts_s, viewer)
        return sign(claims, kid, key)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=headers, timeout=30)


@pytest.fixture(scope="module")
def cdn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cdn]:
    folder = tmp_path_factory.mktemp("nginx")
    (origin_port,) = free_ports(1)
    settings = Settings(data_dir=folder, playback_edge_secret=SecretStr(SECRET))
    asked: Counter[str] = Counter()

    async def origin(request: Request) -> Response:
        asked[f"{request.url.path}?{request.url.query}"] += 1
        return PlainTextResponse("bytes", headers={"Cache-Control": "public, max-age=60"})

    private = PrivateStreams(lambda _: True)
    private.note("s-1", "private")
    gate = Gate(Starlette(routes=[Route("/{path:path}", origin)]), private, settings)
    server = uvicorn.Server(uvicorn.Config(gate, port=origin_port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with cache_before(origin_port, folder, SECRET) as url:
            yield Cdn(url, settings, asked)
    finally:
        server.should_exit = True
        thread.join()


def test_all_viewers_of_a_part_cost_the_origin_one_request_whatever_their_tokens(cdn: Cdn) -> None:
    path = "/private/s-1/audio/part1.0.m4s"
    tokens = [cdn.token(viewer=str(number)) for number in range(VIEWERS)]
    with ThreadPoolExecutor(16) as viewers:
        answers = list(viewers.map(lambda token: cdn.get(f"{path}?token={token}&CMCD=sid%3D{token[-5:]}"), tokens))
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, "bytes")}
    assert {count for asked, count in cdn.asked.items() if "part1.0" in asked} == {1}
    assert {answer.headers["Cache-Control"] for answer in answers} == {"private, max-age=60"}


def test_a_part_that_the_cache_holds_is_not_given_without_a_token(cdn: Cdn) -> None:
    path = "/private/s-1/audio/part2.0.m4s"
    assert cdn.get(f"{path}?token={cdn.token()}").status_code == 200
    for shown, reason in {
        "": "token_missing",
        "?token=nonsense": "token_malformed",
        f"?token={cdn.token('s-2')}": "other_stream",
        f"?token={cdn.token(lasts_s=-1)}": "token_expired",
    }.items():
        refused = cdn.get(path + shown)
        assert refused.status_code == 403
        assert refused.json()["code"] == reason
        assert refused.headers["Access-Control-Allow-Origin"] == "*"


def test_reloads_of_a_playlist_are_kept_apart_by_their_directives(cdn: Cdn) -> None:
    path, token = "/private/s-1/audio/media.m3u8", cdn.token()
    for query in ("_HLS_msn=3&_HLS_part=1", "_HLS_msn=3&_HLS_part=2", "_HLS_part=1&_HLS_msn=3", "x=1"):
        assert cdn.get(f"{path}?{query}&token={token}").status_code == 200
    seen = {asked: count for asked, count in cdn.asked.items() if "media.m3u8" in asked}
    assert seen == {
        "/live/s-1/audio/media.m3u8?_HLS_msn=3&_HLS_part=1": 1,
        "/live/s-1/audio/media.m3u8?_HLS_msn=3&_HLS_part=2": 1,
        "/live/s-1/audio/media.m3u8?": 1,
    }


def test_a_player_that_carries_no_query_on_goes_by_the_cookie(cdn: Cdn) -> None:
    with httpx.Client(base_url=cdn.url) as player:
        first = player.get(f"/private/s-1/index.m3u8?token={cdn.token()}")
        assert (first.status_code, COOKIE in player.cookies) == (200, True)
        assert player.get("/private/s-1/audio/part3.0.m4s").status_code == 200
        assert player.get("/private/s-2/index.m3u8").status_code == 403


def test_a_cookie_of_one_viewer_is_never_another_viewers(cdn: Cdn) -> None:
    path = "/private/s-1/second/index.m3u8"
    tokens = [cdn.token(viewer=str(number)) for number in range(3)]
    cookies = [cdn.get(f"{path}?token={token}").headers["Set-Cookie"] for token in tokens]
    assert [cookie.split(";")[0] for cookie in cookies] == [f"{COOKIE}={token}" for token in tokens]
    assert "Set-Cookie" not in cdn.get(path, Authorization=f"Bearer {cdn.token()}").headers


def test_a_bearer_works_and_is_asked_for_in_advance(cdn: Cdn) -> None:
    path = "/private/s-1/audio/part4.0.m4s"
    assert cdn.get(path, Authorization=f"Bearer {cdn.token()}").status_code == 200
    asked = httpx.options(cdn.url + path)
    assert (asked.status_code, asked.headers["Access-Control-Allow-Headers"]) == (204, "Authorization, Range")


@pytest.mark.parametrize("path", ["/private/s-1/../s-2/x", "/private/s-1/%2e%2e/s-2/x", "/private/s-1//x"])
def test_a_path_that_nginx_would_tidy_up_is_refused(cdn: Cdn, path: str) -> None:
    # A raw request: clients tidy paths up themselves.
    url = httpx.URL(cdn.url)
    head = f"GET {path}?token={cdn.token()} HTTP/1.1\r\nHost: cdn\r\nConnection: close\r\n\r\n"
    with socket.create_connection((url.host, url.port or 80), timeout=10) as client:
        client.sendall(head.encode())
        status = client.makefile("rb").readline()
    assert b" 403 " in status

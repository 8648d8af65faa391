"""The edge while every engine is away: what is wrong with a request is said all the same, the rest is 503."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from query_api.app import create_app
from tests.engines import free_ports
from topology.settings import Settings


@pytest.fixture(scope="module")
def alone() -> Settings:
    kafka, registry, postgres = free_ports(3)
    return Settings.model_validate(
        {
            "kafka_bootstrap": f"127.0.0.1:{kafka}",
            "schema_registry_url": f"http://127.0.0.1:{registry}",
            "postgres_dsn": f"postgresql://tally@127.0.0.1:{postgres}/tally",
            "playback_url": "https://cdn.example",
        }
    )


@pytest.fixture(scope="module")
def edge(alone: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(alone)) as client:
        yield client


def test_it_lives_and_says_what_it_lacks(edge: TestClient) -> None:
    assert edge.get("/health/live").status_code == 200
    ready = edge.get("/health/ready")
    assert ready.status_code == 503
    assert set(ready.json()["missing"]) == {"kafka", "postgres"}


def test_a_read_is_refused_in_helix_form_with_a_time_to_come_back(edge: TestClient) -> None:
    answer = edge.get("/helix/streams")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.json() == {
        "error": "Service Unavailable",
        "status": 503,
        "message": "The read models cannot be reached right now. Try again in a moment.",
    }


def test_a_read_that_waits_for_a_write_is_refused_too(edge: TestClient) -> None:
    assert edge.get("/helix/streams", headers={"Tally-Consistency": "streams:0:1"}).status_code == 503


def test_registering_is_refused_as_undone(edge: TestClient) -> None:
    answer = edge.post("/accounts", json={"login": "anna", "password": "correct horse"})
    assert answer.status_code == 503
    assert "Idempotency-Key" in answer.json()["message"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("first=0", "first"),
        ("first=101", "first"),
        ("first=x", "first"),
        ("first=1&first=2", "first"),
        ("after=nonsense", "after"),
        ("user_id=abc", "user_id"),
        ("user_login=%00", "user_login"),
        ("game_id=%00", "game_id"),
        ("language=english", "language"),
        ("&".join(f"user_id={number}" for number in range(101)), "user_id"),
    ],
)
def test_a_wrong_parameter_is_named(edge: TestClient, query: str, named: str) -> None:
    answer = edge.get(f"/helix/streams?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"] == "Bad Request"
    assert named in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b'{"login": "anna"}', "password"),
        (b'{"login": "An na", "password": "12345678"}', "login"),
        (b'{"login": "anna", "password": "1234567"}', "password"),
        (b'{"login": "anna", "password": 12345678}', "password"),
        (b'{"login": "anna", "password": "12345678", "admin": true}', "admin"),
        (b'{"login": "anna", "password": "12345678", "display_name": "\\u202eanna"}', "display_name"),
        (b'{"login": "anna", "password": "\xff2345678"}', "body"),
    ],
)
def test_a_wrong_body_is_named_and_its_values_are_not_repeated(edge: TestClient, body: bytes, named: str) -> None:
    answer = edge.post("/accounts", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert named in answer.json()["message"]
    assert "1234567" not in answer.text


def test_a_body_may_not_be_large(edge: TestClient) -> None:
    large = b'{"login": "' + b"a" * 70_000 + b'"}'
    assert edge.post("/accounts", content=large, headers={"Content-Type": "application/json"}).status_code == 413
    chunks = iter([large[:40_000], large[40_000:]])
    assert edge.post("/accounts", content=chunks, headers={"Content-Type": "application/json"}).status_code == 413


def test_a_body_must_say_what_it_is(edge: TestClient) -> None:
    assert edge.post("/accounts", content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert edge.post("/oauth2/token", json={}).status_code == 415


def test_writing_needs_a_token(edge: TestClient) -> None:
    answer = edge.post("/helix/channels/followers?broadcaster_id=1")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("key", ["", "k" * 129])
def test_an_idempotency_key_is_bounded(edge: TestClient, key: str) -> None:
    answer = edge.post("/accounts", json={"login": "anna", "password": "12345678"}, headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["message"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", "username": "a", "password": "b"}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "anna"}, "invalid_request"),
        ({"grant_type": "password", "username": "no such form!", "password": "12345678"}, "invalid_grant"),
        ({"grant_type": "password", "username": "a", "password": "b", "scope": "root"}, "invalid_scope"),
    ],
)
def test_token_errors_are_oauths(edge: TestClient, form: dict[str, str], error: str) -> None:
    answer = edge.post("/oauth2/token", data=form)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.json()["error_description"] == answer.json()["message"]


def test_what_is_not_there_is_said_in_helix_form(edge: TestClient) -> None:
    missing = edge.get("/helix/nothing")
    assert (missing.status_code, missing.json()["error"]) == (404, "Not Found")
    wrong = edge.put("/helix/channels")
    assert (wrong.status_code, wrong.json()["error"]) == (405, "Method Not Allowed")
    assert {"GET", "PATCH"} <= set(wrong.headers["Allow"].split(", "))


def test_a_correlation_id_is_taken_over_or_made(edge: TestClient) -> None:
    assert (
        edge.get("/health/live", headers={"Tally-Correlation-Id": "abc-1"}).headers["Tally-Correlation-Id"] == "abc-1"
    )
    made = edge.get("/health/live", headers={"Tally-Correlation-Id": "a b\x7f"}).headers["Tally-Correlation-Id"]
    assert len(made) == 36


def test_every_answer_is_safe_to_open_in_a_browser(edge: TestClient) -> None:
    for path in ("/helix/streams", "/helix/nothing", "/health/live", "/", "/watch/anna", "/docs", "/redoc"):
        answer = edge.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self' 'unsafe" not in policy


def test_the_watch_page_may_reach_the_playback_address_and_the_chat(edge: TestClient) -> None:
    policy = edge.get("/watch/anna").headers["Content-Security-Policy"]
    assert "connect-src 'self' https://cdn.example ws://127.0.0.1:8082;" in policy
    assert "img-src 'self' data: https://cdn.example;" in policy


def test_other_sites_may_call_the_api_and_read_its_headers(edge: TestClient) -> None:
    asked = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization, idempotency-key, tally-consistency",
    }
    allowed = edge.options("/helix/channels", headers=asked)
    assert allowed.status_code == 200
    assert "PATCH" in allowed.headers["Access-Control-Allow-Methods"]
    answer = edge.get("/helix/streams", headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Tally-Consistency" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_limits_are_told_and_kept(alone: Settings) -> None:
    few = alone.model_copy(update={"requests_per_minute": 3})
    with TestClient(create_app(few)) as client:
        answers = [client.get("/helix/streams?first=0") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
    assert [answer.headers["Ratelimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[-1].json()["error"] == "Too Many Requests"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 20


def test_guessing_tokens_spends_the_address_s_limit(alone: Settings) -> None:
    few = alone.model_copy(update={"requests_per_minute": 2})
    with TestClient(create_app(few)) as client:
        guesses = [client.get("/helix/users", headers={"Authorization": f"Bearer {n}"}) for n in range(3)]
    assert [guess.status_code for guess in guesses] == [503, 503, 429]


def test_the_pages_and_their_parts_are_served(edge: TestClient) -> None:
    for path in (
        "/",
        "/watch/anna",
        "/videos/one",
        "/creator",
        "/docs",
        "/redoc",
        "/static/watch.js",
        "/vendor/hls.js/hls.min.js",
    ):
        assert edge.get(path).status_code == 200
    assert edge.get("/openapi.json").json()["openapi"] == "3.1.0"
    assert edge.get("/site.json").json() == {"chat_url": "ws://127.0.0.1:8082/ws"}
    tag = edge.get("/static/watch.js").headers["ETag"]
    assert edge.get("/static/watch.js", headers={"If-None-Match": tag}).status_code == 304
    assert edge.get("/static/../README.md").status_code == 404
    assert edge.get("/static/%2e%2e/README.md").status_code == 404

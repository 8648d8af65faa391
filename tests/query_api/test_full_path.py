"""From a request through command, decision, event and read model to the next request."""

from __future__ import annotations

import uuid

import pytest

from tests.query_api.conftest import PASSWORD, Edge, Member, unique_login

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def viewer(edge: Edge) -> Member:
    return edge.member("viewer")


@pytest.fixture(scope="module")
def streamer(edge: Edge) -> Member:
    return edge.member("streamer")


def followers(asker: Member, channel: Member, after: str = "") -> list[str]:
    answer = asker.ask("GET", "/helix/channels/followers", params={"broadcaster_id": channel.id}, after=after)
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] == len(answer.json()["data"])
    return [follower["user_id"] for follower in answer.json()["data"]]


def test_a_new_account_is_a_user_and_a_channel(edge: Edge) -> None:
    login = unique_login()
    made = edge.client.post("/accounts", json={"login": login, "password": PASSWORD, "display_name": "Anna Ä"})
    assert made.status_code == 201
    user_id = made.json()["data"][0]["id"]
    seen = {"Tally-Consistency": made.headers["Tally-Consistency"]}
    user = edge.client.get("/helix/users", params={"login": login.upper()}, headers=seen).json()["data"][0]
    assert (user["id"], user["login"], user["display_name"]) == (user_id, login, "Anna Ä")
    channel = edge.client.get("/helix/channels", params={"broadcaster_id": user_id}).json()["data"][0]
    assert (channel["broadcaster_login"], channel["title"]) == (login, "")


def test_a_login_is_taken_once_and_a_retry_of_the_owner_is_no_second_try(edge: Edge) -> None:
    account = {"login": unique_login(), "password": PASSWORD}
    key = {"Idempotency-Key": "register-1"}
    first = edge.client.post("/accounts", json=account, headers=key)
    again = edge.client.post("/accounts", json=account, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Tally-Consistency"] == first.headers["Tally-Consistency"]
    stranger = edge.client.post("/accounts", json=account | {"password": "another password"}, headers=key)
    assert stranger.status_code == 409
    assert stranger.json()["code"] == "login_taken"


def test_following_is_seen_by_the_read_that_brings_the_token(viewer: Member, streamer: Member) -> None:
    where = {"broadcaster_id": streamer.id}
    followed = viewer.ask("POST", "/helix/channels/followers", params=where)
    assert followed.status_code == 204
    assert viewer.id in followers(viewer, streamer, after=followed.headers["Tally-Consistency"])
    mine = viewer.ask("GET", "/helix/channels/followed", params={"user_id": viewer.id}).json()
    assert [(item["broadcaster_id"], item["broadcaster_login"]) for item in mine["data"]] == [
        (streamer.id, streamer.login)
    ]
    left = viewer.ask("DELETE", "/helix/channels/followers", params=where)
    assert left.status_code == 204
    assert viewer.id not in followers(viewer, streamer, after=left.headers["Tally-Consistency"])


def test_a_retry_with_the_same_key_gives_the_same_answer_and_no_second_event(viewer: Member, streamer: Member) -> None:
    donation = {"broadcaster_id": streamer.id, "amount": {"value": 500, "currency": "EUR"}, "message": "Thanks!"}
    key = str(uuid.uuid4())
    answers = [viewer.ask("POST", "/helix/donations", json=donation, key=key) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["data"][0]["id"] for answer in answers}) == 1
    token = answers[0].headers["Tally-Consistency"]
    assert {answer.headers["Tally-Consistency"] for answer in answers} == {token}
    other = viewer.ask("POST", "/helix/donations", json=donation)
    listed = viewer.ask(
        "GET",
        "/helix/donations",
        params={"broadcaster_id": streamer.id},
        after=other.headers["Tally-Consistency"],
    ).json()["data"]
    assert [item["id"] for item in listed] == [other.json()["data"][0]["id"], answers[0].json()["data"][0]["id"]]
    assert listed[0]["amount"] == {"value": 500, "currency": "EUR"}
    assert (listed[0]["user_id"], listed[0]["user_login"], listed[0]["message"]) == (viewer.id, viewer.login, "Thanks!")


def test_the_same_key_of_another_user_is_another_command(edge: Edge, viewer: Member, streamer: Member) -> None:
    donation = {"broadcaster_id": streamer.id, "amount": {"value": 1, "currency": "USD"}}
    key = str(uuid.uuid4())
    first = viewer.ask("POST", "/helix/donations", json=donation, key=key)
    second = streamer.ask("POST", "/helix/donations", json=donation, key=key)
    assert first.json()["data"][0]["id"] != second.json()["data"][0]["id"]


def test_a_chat_message_is_sent_and_read(viewer: Member, streamer: Member) -> None:
    said = {"broadcaster_id": streamer.id, "sender_id": viewer.id, "message": "<script>alert(1)</script> hi"}
    sent = viewer.ask("POST", "/helix/chat/messages", json=said)
    assert sent.status_code == 200, sent.text
    message = sent.json()["data"][0]
    assert (message["is_sent"], message["drop_reason"]) == (True, None)
    listed = viewer.ask(
        "GET",
        "/helix/chat/messages",
        params={"broadcaster_id": streamer.id},
        after=sent.headers["Tally-Consistency"],
    ).json()["data"]
    assert listed[0]["message_id"] == message["message_id"]
    assert (listed[0]["sender_login"], listed[0]["message"]) == (viewer.login, said["message"])


def test_a_message_that_says_nothing_is_dropped_with_a_reason(viewer: Member, streamer: Member) -> None:
    said = {"broadcaster_id": streamer.id, "sender_id": viewer.id, "message": "   "}
    dropped = viewer.ask("POST", "/helix/chat/messages", json=said)
    assert dropped.status_code == 200
    assert dropped.json()["data"][0]["drop_reason"]["code"] == "msg_empty"


def test_the_owner_changes_the_channel(streamer: Member) -> None:
    own = {"broadcaster_id": streamer.id}
    change = {"title": "Speedruns", "game_id": "Tetris", "broadcaster_language": "de"}
    changed = streamer.ask("PATCH", "/helix/channels", params=own, json=change)
    assert changed.status_code == 204, changed.text
    later = streamer.ask("PATCH", "/helix/channels", params=own, json={"title": "Speedruns II"})
    read = streamer.ask("GET", "/helix/channels", params=own, after=later.headers["Tally-Consistency"])
    channel = read.json()["data"][0]
    assert (channel["title"], channel["game_name"], channel["broadcaster_language"]) == ("Speedruns II", "Tetris", "de")


def test_a_stream_key_is_shown_once_and_can_be_deleted(streamer: Member) -> None:
    key = str(uuid.uuid4())
    made = streamer.ask("POST", "/helix/streams/key", key=key)
    assert made.status_code == 200, made.text
    shown = made.json()["data"][0]
    assert shown["stream_key"].startswith(f"live_{streamer.id}_")
    again = streamer.ask("POST", "/helix/streams/key", key=key)
    assert again.status_code == 409
    assert shown["key_id"] in again.json()["message"]
    listed = streamer.ask("GET", "/helix/streams/key", after=made.headers["Tally-Consistency"])
    assert shown["key_id"] in [item["key_id"] for item in listed.json()["data"]]
    assert shown["stream_key"] not in listed.text
    gone = streamer.ask("DELETE", "/helix/streams/key", params={"key_id": shown["key_id"]})
    assert gone.status_code == 204
    left = streamer.ask("GET", "/helix/streams/key", after=gone.headers["Tally-Consistency"])
    assert shown["key_id"] not in left.text
    unknown = streamer.ask("DELETE", "/helix/streams/key", params={"key_id": shown["key_id"]})
    assert unknown.status_code == 404


def test_what_is_anothers_is_forbidden(viewer: Member, streamer: Member) -> None:
    theirs = {"broadcaster_id": streamer.id}
    assert viewer.ask("PATCH", "/helix/channels", params=theirs, json={"title": "mine"}).status_code == 403
    said = {"broadcaster_id": streamer.id, "sender_id": streamer.id, "message": "as the streamer"}
    assert viewer.ask("POST", "/helix/chat/messages", json=said).status_code == 403
    assert viewer.ask("GET", "/helix/channels/followed", params={"user_id": streamer.id}).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("POST", "/helix/channels/followers", {"params": {"broadcaster_id": "1"}}, 404, "unknown_channel"),
        (
            "POST",
            "/helix/donations",
            {"json": {"broadcaster_id": "1", "amount": {"value": 1, "currency": "EUR"}}},
            404,
            "unknown_channel",
        ),
        ("DELETE", "/helix/channels/followers", {"params": {"broadcaster_id": "1"}}, 404, None),
    ],
)
def test_a_refused_command_has_a_status_and_a_stable_code(
    viewer: Member, method: str, path: str, options: dict[str, object], status: int, code: str | None
) -> None:
    refused = viewer.ask(method, path, **options)  # type: ignore[arg-type]
    assert refused.status_code == status, refused.text
    assert code is None or refused.json()["code"] == code


def test_nobody_follows_themselves(viewer: Member) -> None:
    refused = viewer.ask("POST", "/helix/channels/followers", params={"broadcaster_id": viewer.id})
    assert (refused.status_code, refused.json()["code"]) == (400, "cannot_follow_self")


def test_a_correlation_id_reaches_the_event(edge: Edge, viewer: Member, streamer: Member) -> None:
    answer = edge.client.post(
        "/helix/donations",
        json={"broadcaster_id": streamer.id, "amount": {"value": 7, "currency": "EUR"}},
        headers={"Authorization": f"Bearer {viewer.token}", "Tally-Correlation-Id": "from-the-client"},
    )
    assert answer.headers["Tally-Correlation-Id"] == "from-the-client"
    event = edge.read(answer.headers["Tally-Consistency"])
    assert event.fields["correlation_id"] == "from-the-client"
    assert event.fields["donor_id"] == viewer.id


def test_a_place_that_is_not_reached_yet_is_said_so(edge: Edge, viewer: Member) -> None:
    answer = viewer.ask("GET", "/helix/streams", after="follows:0:999999999")
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "follows:0:999999999" in answer.json()["message"]


def test_helix_clients_find_what_they_expect(edge: Edge, viewer: Member) -> None:
    """What Twitch client libraries send beside the token: a Client-Id, and parameters that we do not know."""
    answer = edge.client.get(
        "/helix/users",
        params={"some_future_parameter": "1"},
        headers={"Authorization": f"Bearer {viewer.token}", "Client-Id": "abcdef"},
    )
    assert [user["id"] for user in answer.json()["data"]] == [viewer.id]
    for header in ("Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset"):
        assert int(answer.headers[header]) > 0

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from query_api.scopes import SCOPES
from tests.query_api.conftest import PASSWORD, Edge, Member

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def member(edge: Edge) -> Member:
    return edge.member("viewer")


def sign_in(edge: Edge, login: str, password: str = PASSWORD, **more: str) -> dict[str, object]:
    answer = edge.client.post(
        "/oauth2/token", data={"grant_type": "password", "username": login, "password": password, **more}
    )
    return {"status": answer.status_code, **answer.json()}


def test_a_token_has_oauths_form_and_works_at_once(edge: Edge, member: Member) -> None:
    answer = sign_in(edge, member.login.upper())
    assert answer["token_type"] == "bearer"
    assert answer["scope"] == sorted(SCOPES)
    assert 14_000 < int(str(answer["expires_in"])) <= 14_400
    told = edge.client.get("/oauth2/validate", headers={"Authorization": f"OAuth {answer['access_token']}"}).json()
    assert (told["user_id"], told["login"], told["scopes"]) == (member.id, member.login, sorted(SCOPES))


@pytest.mark.parametrize("password", ["wrong password", "", "x" * 128])
def test_a_wrong_password_is_an_invalid_grant(edge: Edge, member: Member, password: str) -> None:
    answer = sign_in(edge, member.login, password)
    assert (answer["status"], answer["error"]) == (400, "invalid_grant")


def test_an_unknown_login_reads_like_a_wrong_password(edge: Edge, member: Member) -> None:
    known, unknown = sign_in(edge, member.login, "wrong password"), sign_in(edge, "nobody_has_this", PASSWORD)
    assert known == unknown


def test_a_token_does_what_its_scopes_say(edge: Edge, member: Member) -> None:
    narrow = Member(
        edge.client, member.login, member.id, str(sign_in(edge, member.login, scope="user:write:chat")["access_token"])
    )
    refused = narrow.ask("POST", "/helix/streams/key")
    assert refused.status_code == 403
    assert "channel:manage:stream_key" in refused.json()["message"]
    said = {"broadcaster_id": member.id, "sender_id": member.id, "message": "hello"}
    assert narrow.ask("POST", "/helix/chat/messages", json=said).status_code == 200


def test_a_revoked_token_no_longer_works(edge: Edge, member: Member) -> None:
    token = str(sign_in(edge, member.login)["access_token"])
    signed_in = Member(edge.client, member.login, member.id, token)
    assert signed_in.ask("GET", "/helix/users").status_code == 200
    assert edge.client.post("/oauth2/revoke", data={"token": token}).status_code == 200
    refused = signed_in.ask("GET", "/helix/users")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert edge.client.post("/oauth2/revoke", data={"token": token}).status_code == 200, "RFC 7009: no error"


@pytest.mark.parametrize("token", ["nonsense", "x" * 5000])
def test_a_token_that_never_was_is_refused(edge: Edge, token: str) -> None:
    assert edge.client.get("/helix/streams", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert edge.client.get("/oauth2/validate", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_guessing_a_password_is_slowed_down(edge: Edge) -> None:
    with ThreadPoolExecutor(25) as guessers:
        answers = list(guessers.map(lambda number: sign_in(edge, "somebodys_login", f"guess {number}"), range(25)))
    assert {answer["status"] for answer in answers} == {400, 429}
    assert {answer["error"] for answer in answers} == {"invalid_grant", "slow_down"}


def test_secrets_stay_out_of_the_log(edge: Edge, member: Member) -> None:
    log = (edge.settings.data_dir / "logs" / "edge-tests-query_api.log").read_text()
    assert '"path": "/oauth2/token"' in log
    assert PASSWORD not in log
    assert member.token not in log

"""Emotes from the upload to the picture, and badges."""

from __future__ import annotations

import io

import httpx
import pytest
from PIL import Image

from query_api.emote_pictures import UPLOAD_BYTES
from query_api.services import EMOTES_PER_USER
from schemas.emotes import GLOBAL_EMOTES
from tests.query_api.asking import done, listed, made, refused, say
from tests.query_api.conftest import Edge, Member
from tests.query_api.test_emote_pictures import animation, encoded, red

pytestmark = pytest.mark.stack

PATH = "/helix/chat/emotes"


@pytest.fixture(scope="module")
def owner(edge: Edge) -> Member:
    return edge.register()


def upload(
    member: Member, channel: Member, name: str, content: bytes, kind: str = "image/png", tier: str = ""
) -> httpx.Response:
    query = {"broadcaster_id": channel.id, "name": name, "tier": tier}
    headers = {"Authorization": f"Bearer {member.token}", "Content-Type": kind}
    return member.client.post(PATH, params=query, content=content, headers=headers)


def test_an_uploaded_picture_can_be_said_and_seen(edge: Edge, owner: Member) -> None:
    answer = upload(owner, owner, "redSquare", encoded(red(), "PNG"))
    emote = made(answer)
    seen = answer.headers["Tally-Consistency"]
    assert (emote["name"], emote["tier"], emote["format"]) == ("redSquare", "", ["static"])
    assert emote in listed(owner.ask("GET", PATH, params={"broadcaster_id": owner.id}, after=seen))
    for url, size in zip(emote["images"].values(), (28, 56, 112), strict=True):
        picture = edge.client.get(url)
        assert picture.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert picture.headers["X-Content-Type-Options"] == "nosniff"
        assert Image.open(io.BytesIO(picture.content)).size == (size, size)
    said = say(owner, owner, "a redSquare").headers["Tally-Consistency"]
    query = {"broadcaster_id": owner.id}
    shown = listed(owner.ask("GET", "/helix/chat/messages", params=query, after=said))[0]
    assert (shown["message"], shown["emotes"]) == ("a redSquare", f"{emote['id']}:2-10")


def test_an_animation_is_one_in_every_size(edge: Edge, owner: Member) -> None:
    answer = upload(owner, owner, "spins", animation("GIF"), "image/gif", tier="1000")
    emote = made(answer)
    assert (emote["tier"], emote["emote_type"], emote["format"]) == ("1000", "subscriptions", ["static", "animated"])


def test_a_removed_emote_is_listed_no_more_and_still_seen(edge: Edge, owner: Member) -> None:
    emote = made(upload(owner, owner, "shortLived", encoded(red(), "PNG")))
    query = {"broadcaster_id": owner.id, "id": emote["id"]}
    gone = done(owner.ask("DELETE", PATH, params=query))
    names = [shown["name"] for shown in listed(owner.ask("GET", PATH, params=query, after=gone))]
    assert "shortLived" not in names
    assert edge.client.get(emote["images"]["url_1x"]).status_code == 200
    assert refused(owner.ask("DELETE", PATH, params=query)) == (404, "unknown_emote")


def test_what_cannot_be_an_emote_is_refused(edge: Edge, owner: Member) -> None:
    assert refused(upload(owner, owner, "noPicture", b"<svg/>")) == (400, "bad_picture")
    assert refused(upload(owner, owner, "noPicture", b"x", "image/svg+xml"))[0] == 415
    assert refused(upload(owner, owner, "large", bytes(UPLOAD_BYTES + 1)))[0] == 413
    assert refused(upload(owner, owner, "<b>", encoded(red(), "PNG")))[0] == 400
    made(upload(owner, owner, "twice", encoded(red(), "PNG")))
    assert refused(upload(owner, owner, "twice", encoded(red(), "PNG"))) == (409, "emote_name_taken")
    other = edge.member("viewer")
    assert refused(upload(other, owner, "mine", encoded(red(), "PNG")))[0] == 403


def test_global_emotes_have_pictures(edge: Edge) -> None:
    answer = edge.client.get(f"{PATH}/global")
    emotes = {emote["name"]: emote for emote in listed(answer)}
    assert set(emotes) == set(GLOBAL_EMOTES)
    assert answer.json()["template"].endswith("/emotes/{{id}}/{{scale}}")
    picture = edge.client.get(emotes[":wave:"]["images"]["url_2x"])
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert "default-src 'none'" in picture.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/emotes/nothing/1x", "/emotes/1f44b/4x", "/emotes/%00/1x"])
def test_there_is_no_other_picture(edge: Edge, path: str) -> None:
    assert refused(edge.client.get(path))[0] == 404


def test_badges_have_pictures(edge: Edge, owner: Member) -> None:
    for path, sets in (("/global", {"broadcaster", "moderator", "vip"}), ("", {"subscriber"})):
        badges = listed(edge.client.get(f"/helix/chat/badges{path}", params={"broadcaster_id": owner.id}))
        assert {badge["set_id"] for badge in badges} == sets
        for badge in badges:
            assert edge.client.get(badge["versions"][0]["image_url_1x"]).status_code == 200


def test_one_user_uploads_only_so_many(edge: Edge) -> None:
    busy, other = edge.register(), edge.member("bob")
    for _ in range(EMOTES_PER_USER):
        assert upload(busy, busy, "noPicture", b"none").status_code == 400
    turned_away = upload(busy, busy, "noPicture", encoded(red(), "PNG"))
    assert turned_away.status_code == 429
    assert int(turned_away.headers["Retry-After"]) > 0
    assert upload(other, other, "noPicture", b"none").status_code == 400

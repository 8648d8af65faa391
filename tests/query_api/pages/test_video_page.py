"""A recording's page: it plays, and its chat keeps step."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.query_api.asking import made, refused, say
from tests.query_api.conftest import Edge, Member, eventually
from tests.query_api.pages.visiting import HOSTILE, SOON_MS, Visit, publishing

pytestmark = [pytest.mark.stack, pytest.mark.browser]


def listed(edge: Edge, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = edge.client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


@pytest.fixture(scope="module")
def video(edge: Edge, ingest: None) -> dict[str, Any]:
    """A recording of ten seconds or more; words were said around its second and near its end."""
    owner: Member = edge.register(display_name="The Recorded")
    with publishing(edge, owner):
        made(say(owner, owner, f"early {HOSTILE}"))
        begun = datetime.now().astimezone()
        eventually(lambda: datetime.now().astimezone() - begun > timedelta(seconds=10))
        made(say(owner, owner, "late"))
        eventually(lambda: datetime.now().astimezone() - begun > timedelta(seconds=13))
    key_id = owner.ask("GET", "/helix/streams/key").json()["data"][0]["key_id"]
    owner.ask("DELETE", "/helix/streams/key", params={"key_id": key_id})
    eventually(lambda: listed(edge, "/helix/videos", user_id=owner.id))
    return listed(edge, "/helix/videos", user_id=owner.id)[0]


def test_the_chat_is_read_by_the_video_s_offset(edge: Edge, video: dict[str, Any]) -> None:
    early, late = listed(edge, "/helix/videos/chat", video_id=video["id"])
    assert early["message"].startswith("early")
    assert early["offset_s"] + 9 < late["offset_s"]
    since = {"video_id": video["id"], "offset_s": early["offset_s"] + 5}
    assert [each["message"] for each in listed(edge, "/helix/videos/chat", **since)] == ["late"]
    assert listed(edge, "/helix/videos/chat", **since, length_s=1) == []
    by_clock = {"video_id": video["id"], "started_at": late["sent_at"]}
    assert [each["message"] for each in listed(edge, "/helix/videos/chat", **by_clock)] == ["late"]
    first = edge.client.get("/helix/videos/chat", params={"video_id": video["id"], "first": 1}).json()
    second = {"video_id": video["id"], "first": 1, "after": first["pagination"]["cursor"]}
    assert [each["message"] for each in listed(edge, "/helix/videos/chat", **second)] == ["late"]


def test_the_chat_of_no_video_is_not_found(edge: Edge) -> None:
    assert refused(edge.client.get("/helix/videos/chat", params={"video_id": "none"})) == (404, "unknown_video")


def test_the_page_plays_and_shows_the_chat_in_step(edge: Edge, video: dict[str, Any], visit: Visit) -> None:
    page = visit.page
    page.goto(f"{edge.url}/videos/{video['id']}")
    expect(page.locator(".screen")).to_have_attribute("data-state", "playing", timeout=SOON_MS)
    page.evaluate("document.getElementById('video').pause()")
    lines = page.locator("#messages .text")
    page.evaluate("document.getElementById('video').currentTime = 6")
    expect(lines).to_have_text([f"early {HOSTILE}"], timeout=SOON_MS)
    page.focus("#seek")
    page.keyboard.press("End")
    expect(lines).to_have_text([f"early {HOSTILE}", "late"], timeout=SOON_MS)
    page.evaluate("document.getElementById('video').currentTime = 6")
    expect(lines).to_have_text([f"early {HOSTILE}"], timeout=SOON_MS)
    page.hover("#seek")
    picture = "document.querySelector('#preview img')"
    eventually(lambda: page.evaluate(f"!{picture}.hidden && {picture}.naturalWidth > 0"))
    assert page.evaluate("window.pwned") is None
    visit.check(edge.url, edge.settings.playback_url)

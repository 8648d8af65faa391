"""A private stream on the watch page."""

from __future__ import annotations

import re
import subprocess

import pytest
from playwright.sync_api import expect

from tests.query_api.conftest import PASSWORD, Edge, eventually
from tests.query_api.pages.visiting import SOON_MS, Visit, has_thumbnails, publishing, sign_in, thumbnail_appears

pytestmark = [pytest.mark.stack, pytest.mark.browser]


def test_a_private_stream_plays_for_its_owner_and_for_who_has_a_link_and_tells_others_why_not(
    edge: Edge, ingest: None, visit: Visit
) -> None:
    owner, page = edge.register(), visit.page
    own = {"broadcaster_id": owner.id}
    assert owner.ask("PATCH", "/helix/channels", params=own, json={"playback_policy": "private"}).status_code == 204
    screen, text = page.locator(".screen"), page.locator("#cover-text")
    with publishing(edge, owner):
        page.goto(f"{edge.url}/watch/{owner.login}")
        expect(screen).to_have_attribute("data-state", "refused", timeout=SOON_MS)
        expect(text).to_have_text("Sign in, or open the link that the streamer gave you.")
        page.click("#sign-in")
        sign_in(page, owner.login, PASSWORD)
        expect(screen).to_have_attribute("data-state", "playing", timeout=SOON_MS)
        eventually(lambda: page.evaluate("document.getElementById('video').currentTime") > 2)
        has_thumbnails(edge, owner)
        thumbnail_appears(page)
        link = owner.ask("POST", "/helix/streams/playback_token", json=own).json()["data"][0]
        page.click("#sign-out")
        for token, state in ((link["token"], "playing"), (f"{link['token'][:-20]}{'A' * 20}", "refused")):
            page.goto("about:blank")
            page.goto(f"{edge.url}/watch/{owner.login}#token={token}")
            expect(screen).to_have_attribute("data-state", state, timeout=SOON_MS)
        expect(text).to_have_text(re.compile("changed or forged"))
        play_with_ffmpeg(link["playback_url"])
    visit.errors = [error for error in visit.errors if "403 (Forbidden)" not in error]
    visit.check(edge.url, edge.settings.playback_url, "about:")


def play_with_ffmpeg(url: str) -> None:
    """A player that carries no query on, and keeps cookies."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", url, "-t", "2", "-f", "null", "-"]
    played = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert played.returncode == 0, played.stderr
    assert "403" not in played.stderr

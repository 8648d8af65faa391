"""Signing in, following and chatting."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.query_api.conftest import PASSWORD, Edge, Member, unique_login
from tests.query_api.pages.visiting import HOSTILE, SOON_MS, Visit, sign_in

pytestmark = [pytest.mark.stack, pytest.mark.browser]


def test_a_viewer_registers_follows_and_chats(edge: Edge, streamer: Member, visit: Visit) -> None:
    page, login = visit.page, unique_login()
    page.goto(f"{edge.url}/watch/{streamer.login}")
    expect(page.locator("#follow")).to_be_enabled(timeout=SOON_MS)
    page.click("#follow")
    page.check("input[name=register]")
    sign_in(page, login, PASSWORD)
    expect(page.locator("#who")).to_have_text(login, timeout=SOON_MS)
    page.click("#follow")
    expect(page.locator("#follow")).to_have_attribute("aria-pressed", "true", timeout=SOON_MS)
    page.fill("#text", HOSTILE)
    page.keyboard.press("Enter")
    expect(page.locator("#messages li").last).to_contain_text(f"{login} {HOSTILE}", timeout=SOON_MS)
    page.click("#sign-out")
    expect(page.locator("#sign-in")).to_be_visible(timeout=SOON_MS)
    assert page.evaluate("window.pwned") is None
    visit.check(edge.url, edge.settings.playback_url)  # the streamer may still be on air from a test before


def test_a_wrong_password_is_told_in_the_dialog(edge: Edge, streamer: Member, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{edge.url}/watch/{streamer.login}")
    page.click("#sign-in")
    sign_in(page, streamer.login, "not the password")
    expect(page.locator("#sign-in-error")).to_have_text("Wrong login or password.", timeout=SOON_MS)

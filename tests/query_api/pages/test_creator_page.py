"""How a streamer sees the own stream."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.query_api.conftest import PASSWORD, Edge, Member
from tests.query_api.pages.visiting import SOON_MS, Visit, publishing, sign_in

pytestmark = [pytest.mark.stack, pytest.mark.browser]


def test_the_creator_page_shows_the_owner_how_the_stream_is_doing(
    edge: Edge, ingest: None, streamer: Member, visit: Visit
) -> None:
    page = visit.page
    page.goto(f"{edge.url}/creator")
    expect(page.locator("#notice")).to_have_text("Sign in to see how your stream is doing.", timeout=SOON_MS)
    page.click("#sign-in")
    sign_in(page, streamer.login, PASSWORD)
    expect(page.locator("#notice")).to_contain_text("You are not live.", timeout=SOON_MS)
    with publishing(edge, streamer, gop_s=64 / 15):
        advice = page.locator('#advice li[data-code="gopSizeLong"]')
        expect(advice).to_contain_text("Your encoder's keyframe interval is 4.27 s; set it to 2 s.", timeout=SOON_MS)
        expect(advice).to_have_attribute("data-severity", "warning")
        expect(page.locator("#status")).to_have_text("Warning")
        expect(page.locator("#sent")).to_contain_text("640×360")
        expect(page.locator("#encoder")).to_contain_text("Lavf")
        expect(page.locator("#changes")).to_contain_text("gopSizeLong")
        expect(page.locator("#gop svg")).to_have_attribute("aria-label", re.compile("Keyframe interval: 4.3 s now"))
        for chart in ("bitrate", "frame-rate", "gop", "skew"):
            expect(page.locator(f"#{chart} polyline")).to_have_attribute("points", re.compile(r"^[\d.]+,-?[\d.]+ "))
    expect(page.locator("#notice")).to_contain_text("You are not live.", timeout=SOON_MS)
    page.click("#sign-out")
    expect(page.locator("#notice")).to_contain_text("Sign in", timeout=SOON_MS)
    visit.check(edge.url)

"""The home page and the API documents."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.query_api.conftest import Edge, Member
from tests.query_api.pages.visiting import HOSTILE, SOON_MS, Visit, publishing

pytestmark = [pytest.mark.stack, pytest.mark.browser]


def test_the_home_page_lists_who_is_live(edge: Edge, ingest: None, streamer: Member, visit: Visit) -> None:
    with publishing(edge, streamer):
        visit.page.goto(edge.url)
        card = visit.page.locator(f'a[href="/watch/{streamer.login}"]')
        expect(card.locator(".card-title")).to_have_text(HOSTILE, timeout=SOON_MS)
        expect(card.locator(".card-channel")).to_have_text("Anna <b>& friends</b>")
    assert visit.page.evaluate("window.pwned") is None
    visit.check(edge.url)


def test_swagger_ui_shows_the_api_without_the_outside(edge: Edge, visit: Visit) -> None:
    visit.page.goto(f"{edge.url}/docs")
    expect(visit.page.locator("#operations-Streams-list_streams")).to_be_visible(timeout=SOON_MS)
    visit.page.click("#operations-Streams-list_streams")
    visit.page.click("text=Try it out")
    visit.page.click("button.execute")
    expect(visit.page.locator(".live-responses-table .response-col_status").last).to_contain_text(
        "200", timeout=SOON_MS
    )
    visit.check(edge.url)


def test_redoc_shows_the_api_without_the_outside(edge: Edge, visit: Visit) -> None:
    visit.page.goto(f"{edge.url}/redoc")
    expect(visit.page.get_by_role("heading", name="Get who is live")).to_be_visible(timeout=SOON_MS)
    visit.check(edge.url)

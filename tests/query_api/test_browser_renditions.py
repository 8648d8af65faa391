"""Renditions that come, go and are chosen on the watch page, in a real Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.query_api.conftest import Edge, Member, publishing, shows_what_is_old, watching
from tests.query_api.rung import Rung
from tests.query_api.visiting import AT_LEAST_14_S, SOON_MS, Visit

pytestmark = [pytest.mark.stack, pytest.mark.browser]

COUNT_REMOVALS = """
window.removals = 0;
const remove = SourceBuffer.prototype.remove;
SourceBuffer.prototype.remove = function (...range) { window.removals++; return remove.apply(this, range); };
"""


def test_the_quality_menu_names_the_one_rendition(edge: Edge, ingest: None, streamer: Member, visit: Visit) -> None:
    with publishing(edge, streamer):
        watching(edge, streamer, visit.page)
        expect(visit.page.get_by_label("Quality").locator("option")).to_have_text(["Source (360p)"])


def test_the_quality_menu_follows_renditions_that_come_and_go_and_remembers_the_choice(
    edge: Edge, ingest: None, streamer: Member, visit: Visit
) -> None:
    page = visit.page
    menu = page.get_by_label("Quality")
    rung = Rung("240p")
    page.route("**/live/**", rung.answer)
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        expect(menu.locator("option")).to_have_text(["Source (360p)"])
        rung.there = True
        expect(menu.locator("option")).to_have_text(["Auto: Source (360p)", "Source (360p)", "240p"], timeout=SOON_MS)
        seek = page.get_by_role("slider", name="Position")
        expect(seek).to_have_attribute("aria-valuemin", AT_LEAST_14_S, timeout=SOON_MS)
        seek.press("ArrowLeft")
        shows_what_is_old(page, 8, 60)
        menu.select_option("240p")
        expect(menu.locator("option").first).to_have_text("Auto: 240p", timeout=SOON_MS)
        shows_what_is_old(page, 8, 60)
        page.reload()
        expect(menu.locator("option").first).to_have_text("Auto: 240p", timeout=SOON_MS)
        expect(menu).to_have_value("240p")
        menu.select_option("source")
        expect(menu.locator("option").first).to_have_text("Auto: Source (360p)", timeout=SOON_MS)
        rung.there = False
        expect(menu.locator("option")).to_have_text(["Source (360p)"], timeout=SOON_MS)
        page.unroute_all(behavior="ignoreErrors")
    visit.check(edge.url, edge.settings.playback_url)


def test_a_choice_at_the_live_edge_throws_nothing_away_that_is_still_to_be_shown(
    edge: Edge, ingest: None, streamer: Member, visit: Visit
) -> None:
    page = visit.page
    menu = page.get_by_label("Quality")
    rung = Rung("240p", there=True)
    page.add_init_script(COUNT_REMOVALS)
    page.route("**/live/**", rung.answer)
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        menu.select_option("source")
        expect(menu.locator("option").first).to_have_text("Auto: Source (360p)", timeout=SOON_MS)
        menu.select_option("240p")
        expect(menu.locator("option").first).to_have_text("Auto: 240p", timeout=SOON_MS)
        menu.select_option("auto")
        assert page.evaluate("window.removals") == 0
        page.unroute_all(behavior="ignoreErrors")
    visit.check(edge.url, edge.settings.playback_url)


def test_a_viewer_of_a_rung_that_goes_is_taken_to_another_at_once(
    edge: Edge, ingest: None, streamer: Member, visit: Visit
) -> None:
    page = visit.page
    menu = page.get_by_label("Quality")
    rung = Rung("240p", there=True)
    page.route("**/live/**", rung.answer)
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        menu.select_option("240p")
        expect(menu.locator("option").first).to_have_text("Auto: 240p", timeout=SOON_MS)
        rung.there = False
        expect(menu.locator("option")).to_have_text(["Source (360p)"], timeout=SOON_MS)
        shows_what_is_old(page, 0, 10)
        page.unroute_all(behavior="ignoreErrors")
    # Its playlist, and the next that was on its way: hls.js alone would go on reading it until nothing is left to show.
    assert 1 <= rung.asked_when_gone <= 3
    visit.check(edge.url, edge.settings.playback_url)

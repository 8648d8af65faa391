"""Going back in a live stream, by mouse and by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.query_api.conftest import Edge, Member, eventually
from tests.query_api.pages.visiting import (
    Visit,
    has_thumbnails,
    publishing,
    seek_bar,
    shows_what_is_old,
    thumbnail_appears,
    watching,
)

pytestmark = [pytest.mark.stack, pytest.mark.browser]


def test_a_viewer_goes_back_in_the_live_stream_and_returns_to_its_edge(
    edge: Edge, ingest: None, streamer: Member, visit: Visit
) -> None:
    page = visit.page
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        seek = seek_bar(page)
        expect(seek).to_have_attribute("aria-valuetext", "Live")
        seek.click(position={"x": 60, "y": 8})
        shows_what_is_old(page, 8, 60)
        expect(seek).to_have_attribute("aria-valuetext", re.compile(r"seconds? behind live"))
        expect(page.locator("#behind")).to_have_text(re.compile(r"−\d:\d\d"))
        expect(page.locator("#latency")).to_have_text(re.compile(r"^(8|9|\d\d)\.\d s"))
        page.get_by_role("button", name="Live").click()
        shows_what_is_old(page, 0, 6)
        expect(seek).to_have_attribute("aria-valuetext", "Live")
    visit.check(edge.url, edge.settings.playback_url)


def test_the_player_is_worked_with_the_keyboard_alone(edge: Edge, ingest: None, streamer: Member, visit: Visit) -> None:
    page = visit.page
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        seek = seek_bar(page)
        seek.focus()
        page.keyboard.press("ArrowLeft")
        shows_what_is_old(page, 8, 60)
        page.keyboard.press("End")
        shows_what_is_old(page, 0, 6)
        page.keyboard.press("Home")
        shows_what_is_old(page, 8, 60)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Play")).to_be_focused()
        assert page.evaluate("document.querySelector('video').paused")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Turn the sound on").last).to_be_focused()
        assert page.evaluate("document.querySelector('video').muted")
    visit.check(edge.url, edge.settings.playback_url)


def test_a_thumbnail_is_shown_over_the_seek_bar(edge: Edge, ingest: None, streamer: Member, visit: Visit) -> None:
    with publishing(edge, streamer):
        watching(edge, streamer, visit.page)
        has_thumbnails(edge, streamer)
        thumbnail_appears(visit.page)
    visit.check(edge.url, edge.settings.playback_url)


def test_a_player_that_fell_far_behind_by_itself_is_taken_back_to_live(
    edge: Edge, ingest: None, streamer: Member, visit: Visit
) -> None:
    page = visit.page
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        seek = seek_bar(page)
        fall_behind = """video => {
            window.places = [];
            video.addEventListener("seeking", () => window.places.push(video.currentTime));
            video.currentTime -= 12;
        }"""
        page.locator("#video").evaluate(fall_behind)
        eventually(lambda: page.evaluate("window.places.some((place) => place > window.places[0] + 10)"))
        shows_what_is_old(page, 0, 6)
        expect(seek).to_have_attribute("aria-valuetext", "Live")
    visit.check(edge.url, edge.settings.playback_url)

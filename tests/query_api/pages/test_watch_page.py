"""The watch page from before a stream to after it, and what it reports."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from schemas.wire import Decoded
from tests.commands.system import Log
from tests.query_api.conftest import Edge, Member, eventually
from tests.query_api.pages.visiting import HOSTILE, SOON_MS, Visit, publishing, watching

pytestmark = [pytest.mark.stack, pytest.mark.browser]


def test_the_watch_page_waits_for_the_stream_plays_it_and_sees_its_end(
    edge: Edge, ingest: None, streamer: Member, visit: Visit
) -> None:
    page = visit.page
    page.goto(f"{edge.url}/watch/{streamer.login}")
    screen = page.locator(".screen")
    expect(page.locator("#cover-title")).to_have_text("Anna <b>& friends</b> is offline", timeout=SOON_MS)
    with publishing(edge, streamer):
        expect(screen).to_have_attribute("data-state", "playing", timeout=SOON_MS)
        eventually(lambda: page.evaluate("document.getElementById('video').currentTime") > 2)
        expect(page.locator("h1")).to_have_text(HOSTILE)
        expect(page.locator("#category")).to_have_text("<i>Chess</i>")
        expect(page.locator("#latency")).to_have_text(re.compile(r"\d+\.\d s"), timeout=SOON_MS)
        expect(page.locator("#viewers")).to_have_text("1", timeout=SOON_MS)
        assert page.title().startswith(HOSTILE)
    expect(screen).to_have_attribute("data-state", "offline", timeout=SOON_MS)
    assert page.evaluate("window.pwned") is None
    visit.check(edge.url, edge.settings.playback_url)


def test_the_player_of_the_watch_page_tells_how_it_plays(
    edge: Edge, ingest: None, streamer: Member, visit: Visit
) -> None:
    page, log = visit.page, Log(edge.settings, edge.codec)

    def told(stream_id: str) -> list[Decoded]:
        records = (placed.record for placed in log.read("playback"))
        return [record for record in records if record.fields["stream_id"] == stream_id]

    def measured(stream_id: str) -> bool:
        """Whether a sample says everything; a changed state makes the player report at once."""
        page.evaluate("document.getElementById('video').pause()")
        page.evaluate("document.getElementById('video').play()")
        names = ("latency_ms", "bitrate_kbps", "buffer_ms", "throughput_kbps")
        return any(all(record.fields.get(name) for name in names) for record in told(stream_id))

    with publishing(edge, streamer):
        (stream,) = edge.client.get("/helix/streams", params={"user_id": streamer.id}).json()["data"]
        page.goto(f"{edge.url}/watch/{streamer.login}")
        expect(page.locator(".screen")).to_have_attribute("data-state", "playing", timeout=SOON_MS)
        eventually(lambda: measured(stream["id"]))
        page.goto("about:blank")
        eventually(lambda: any(record.fields.get("reason") == "closed" for record in told(stream["id"])))
    events = told(stream["id"])
    assert len({event.fields["viewer_session_id"] for event in events}) == 1
    assert [event.fields["source"] for event in events if event.type == "ViewerJoined"] == ["cmcd"]
    assert {event.fields["source"] for event in events if event.type == "PlaybackSampled"} == {"cmcd"}
    assert len([event for event in events if event.fields.get("startup_ms")]) == 1
    visit.check(edge.url, edge.settings.playback_url, "about:blank")


def test_the_player_fits_a_narrow_screen(edge: Edge, ingest: None, streamer: Member, visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size({"width": 320, "height": 640})
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        expect(page.get_by_role("button", name="Fullscreen")).to_be_in_viewport()


def test_a_channel_that_does_not_exist_is_said_so(edge: Edge, visit: Visit) -> None:
    visit.page.goto(f"{edge.url}/watch/nobody_at_all")
    expect(visit.page.locator("#cover-title")).to_have_text("There is no channel named nobody_at_all", timeout=SOON_MS)
    visit.check(edge.url)

"""The pages in a real Chromium, with a real stream from a real encoder."""

from __future__ import annotations

import re
import subprocess

import pytest
from playwright.sync_api import Page, expect

from schemas.wire import Decoded
from tests.commands.system import Log
from tests.query_api.conftest import (
    PASSWORD,
    Edge,
    Member,
    eventually,
    publishing,
    shows_what_is_old,
    unique_login,
    watching,
)
from tests.query_api.visiting import AT_LEAST_14_S, HOSTILE, SOON_MS, Visit

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


def thumbnail_appears(page: Page) -> None:
    """Wait for the picture over the middle of the seek bar, the mouse on it."""
    page.hover("#seek")
    expect(page.locator("#preview-time")).to_have_text(re.compile(r"−\d+:\d\d"))
    picture = "document.querySelector('#preview img')"
    eventually(lambda: page.evaluate(f"!{picture}.hidden && {picture}.naturalWidth > 0"))


def test_a_viewer_goes_back_in_the_live_stream_and_returns_to_its_edge(
    edge: Edge, ingest: None, streamer: Member, visit: Visit
) -> None:
    page = visit.page
    seek = page.get_by_role("slider", name="Position")
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        expect(seek).to_have_attribute("aria-valuemin", AT_LEAST_14_S, timeout=SOON_MS)
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


def test_a_player_that_fell_far_behind_by_itself_is_taken_back_to_live(
    edge: Edge, ingest: None, streamer: Member, visit: Visit
) -> None:
    page = visit.page
    seek = page.get_by_role("slider", name="Position")
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        expect(seek).to_have_attribute("aria-valuemin", AT_LEAST_14_S, timeout=SOON_MS)
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


def test_the_player_is_worked_with_the_keyboard_alone(edge: Edge, ingest: None, streamer: Member, visit: Visit) -> None:
    page = visit.page
    seek = page.get_by_role("slider", name="Position")
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        expect(seek).to_have_attribute("aria-valuemin", AT_LEAST_14_S, timeout=SOON_MS)
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


def test_the_player_fits_a_narrow_screen(edge: Edge, ingest: None, streamer: Member, visit: Visit) -> None:
    page = visit.page
    page.set_viewport_size({"width": 320, "height": 640})
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        expect(page.get_by_role("button", name="Fullscreen")).to_be_in_viewport()


def test_a_thumbnail_is_shown_over_the_seek_bar(edge: Edge, ingest: None, streamer: Member, visit: Visit) -> None:
    with publishing(edge, streamer):
        watching(edge, streamer, visit.page)
        has_thumbnails(edge, streamer)
        thumbnail_appears(visit.page)
    visit.check(edge.url, edge.settings.playback_url)


def has_thumbnails(edge: Edge, member: Member) -> None:
    """Wait for the first picture."""

    def listed() -> bool:
        streams = edge.client.get("/helix/streams", params={"user_id": member.id}).json()["data"]
        return any(stream["thumbnail_url"] for stream in streams)

    eventually(listed)


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
        page.fill("input[name=login]", owner.login)
        page.fill("input[name=password]", PASSWORD)
        page.click("#sign-in-form button >> nth=0")
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


def test_the_home_page_lists_who_is_live(edge: Edge, ingest: None, streamer: Member, visit: Visit) -> None:
    with publishing(edge, streamer):
        visit.page.goto(edge.url)
        card = visit.page.locator(f'a[href="/watch/{streamer.login}"]')
        expect(card.locator(".card-title")).to_have_text(HOSTILE, timeout=SOON_MS)
        expect(card.locator(".card-channel")).to_have_text("Anna <b>& friends</b>")
    assert visit.page.evaluate("window.pwned") is None
    visit.check(edge.url)


def test_a_viewer_registers_follows_and_chats(edge: Edge, streamer: Member, visit: Visit) -> None:
    page, login = visit.page, unique_login()
    page.goto(f"{edge.url}/watch/{streamer.login}")
    expect(page.locator("#follow")).to_be_enabled(timeout=SOON_MS)
    page.click("#follow")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", PASSWORD)
    page.check("input[name=register]")
    page.click("#sign-in-form button >> nth=0")
    expect(page.locator("#who")).to_have_text(login, timeout=SOON_MS)
    page.click("#follow")
    expect(page.locator("#follow")).to_have_attribute("aria-pressed", "true", timeout=SOON_MS)
    page.fill("#text", HOSTILE)
    page.keyboard.press("Enter")
    expect(page.locator("#messages li").last).to_have_text(f"{login} {HOSTILE}", timeout=SOON_MS)
    page.click("#sign-out")
    expect(page.locator("#sign-in")).to_be_visible(timeout=SOON_MS)
    assert page.evaluate("window.pwned") is None
    visit.check(edge.url, edge.settings.playback_url)  # the streamer may still be on air from a test before


def test_the_creator_page_shows_the_owner_how_the_stream_is_doing(
    edge: Edge, ingest: None, streamer: Member, visit: Visit
) -> None:
    page = visit.page
    page.goto(f"{edge.url}/creator")
    expect(page.locator("#notice")).to_have_text("Sign in to see how your stream is doing.", timeout=SOON_MS)
    page.click("#sign-in")
    page.fill("input[name=login]", streamer.login)
    page.fill("input[name=password]", PASSWORD)
    page.click("#sign-in-form button >> nth=0")
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


def test_a_wrong_password_is_told_in_the_dialog(edge: Edge, streamer: Member, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{edge.url}/watch/{streamer.login}")
    page.click("#sign-in")
    page.fill("input[name=login]", streamer.login)
    page.fill("input[name=password]", "not the password")
    page.click("#sign-in-form button >> nth=0")
    expect(page.locator("#sign-in-error")).to_have_text("Wrong login or password.", timeout=SOON_MS)


def test_a_channel_that_does_not_exist_is_said_so(edge: Edge, visit: Visit) -> None:
    visit.page.goto(f"{edge.url}/watch/nobody_at_all")
    expect(visit.page.locator("#cover-title")).to_have_text("There is no channel named nobody_at_all", timeout=SOON_MS)
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

"""dash.js in a real Chromium plays the MPD."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from ingest.hls.live_edge import LiveEdge
from ingest.hls.origin import create_origin
from tests.ingest.dash.channel import Channel, on_air, publishing, serving

pytestmark = pytest.mark.browser

DASH_JS = Path(__file__).parents[3] / "web" / "vendor" / "dashjs" / "dash.mediaplayer.min.js"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
PAGE = """
<!doctype html><video id="video" muted></video><script src="/dash.js"></script><script>
const video = document.getElementById("video"), errors = [];
const player = dashjs.MediaPlayer().create();
player.on("error", (event) => errors.push(`${event.error.code} ${event.error.message}`));
player.initialize(video, `${location.origin}/live/stream/manifest.mpd`, true);
</script>
"""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = await browser.new_page()
        page.set_default_timeout(60_000)
        await page.route("**/page", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        await page.route("**/dash.js", lambda route: route.fulfill(path=DASH_JS))
        yield page
        await browser.close()


async def reaches(page: Page, time_s: float) -> None:
    await page.wait_for_function("time => video.currentTime >= time", arg=time_s)


async def seconds(page: Page) -> float:
    return float(await page.evaluate("video.currentTime"))


async def test_a_live_stream_plays_from_near_its_edge(page: Page, tmp_path: Path) -> None:
    async with on_air(Channel(tmp_path)) as url:
        await page.goto(f"{url}/page")
        await reaches(page, 0.1)
        began_s = await seconds(page)
        await reaches(page, began_s + 5)
        assert await page.evaluate("player.isDynamic()")
        assert await page.evaluate("[errors, video.videoWidth]") == [[], 320]


async def test_a_viewer_can_go_back_to_the_beginning(page: Page, tmp_path: Path) -> None:
    async with on_air(Channel(tmp_path)) as url:
        await page.goto(f"{url}/page")
        await reaches(page, 4)
        await page.evaluate("player.seek(0.5)")
        await page.wait_for_function("0.5 <= video.currentTime && video.currentTime < 3 && !video.seeking")
        await reaches(page, 3)
        assert await page.evaluate("errors") == []


async def test_playing_goes_on_after_the_publisher_was_gone(page: Page, tmp_path: Path) -> None:
    channel = Channel(tmp_path)
    channel.send_past()
    async with serving(create_origin(LiveEdge(channel.registry))) as url:
        async with publishing(channel):
            await page.goto(f"{url}/page")
            await reaches(page, 3)
        await channel.lose_the_publisher(for_s=2)
        async with publishing(channel):
            second = await page.wait_for_function("player.getActiveStream()?.getId() !== '0' && video.currentTime")
            began_s = float(await second.json_value())
            await reaches(page, began_s + 3)
        assert await page.evaluate("errors") == []


async def test_the_end_of_the_stream_is_the_end_of_the_video(page: Page, tmp_path: Path) -> None:
    channel = Channel(tmp_path)
    channel.send_past()
    async with serving(create_origin(LiveEdge(channel.registry))) as url:
        async with publishing(channel):
            await page.goto(f"{url}/page")
            await reaches(page, 3)
        channel.end()
        await page.wait_for_function("video.ended")
        assert await page.evaluate("errors") == []

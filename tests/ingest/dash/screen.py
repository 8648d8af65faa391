"""dash.js in a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from benchmarks.chromium import FLAGS, chromium_path

DASH_JS = Path(__file__).parents[3] / "web" / "vendor" / "dashjs" / "dash.mediaplayer.min.js"
PAGE = """
<!doctype html><video id="video" muted></video><script src="/dash.js"></script><script>
const video = document.getElementById("video"), errors = [];
const player = dashjs.MediaPlayer().create();
player.on("error", (event) => errors.push(`${event.error.code} ${event.error.message}`));
player.initialize(video, `${location.origin}/live/stream/manifest.mpd`, true);
</script>
"""


@asynccontextmanager
async def screens(count: int) -> AsyncIterator[list[Page]]:
    """Tabs in which `/page` of any origin plays its stream."""
    chromium = chromium_path()
    if chromium is None:
        pytest.skip("Chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        pages = [await browser.new_page() for _ in range(count)]
        for page in pages:
            page.set_default_timeout(60_000)
            await page.route("**/page", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
            await page.route("**/dash.js", lambda route: route.fulfill(path=DASH_JS))
        yield pages
        await browser.close()


async def reaches(page: Page, time_s: float) -> None:
    await page.wait_for_function("time => video.currentTime >= time", arg=time_s)


async def seconds(page: Page) -> float:
    return float(await page.evaluate("video.currentTime"))

"""dash.js in a real Chromium plays the MPD."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from ingest.hls.live_edge import LiveEdge
from ingest.hls.origin import create_origin
from tests.ingest.dash.channel import Channel, on_air, publishing, serving
from tests.ingest.dash.screen import reaches, screens, seconds

pytestmark = pytest.mark.browser


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with screens(1) as (page,):
        yield page


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

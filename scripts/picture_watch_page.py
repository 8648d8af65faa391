#!/usr/bin/env python3
"""Take docs/watch-page.png anew, of the demo with its ladder: `.venv/bin/python -m scripts.picture_watch_page`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from playwright.async_api import Page

from benchmarks.stack import Stack, running_stack
from benchmarks.watching import choose, demo_on_air, live_stream, watch_page

PICTURE = Path(__file__).parent.parent / "docs" / "watch-page.png"
TITLE = "The test pattern, live"
SAID = (
    "hello there",
    "the clock in the picture is read by the latency benchmark",
    "every line here is an event in Kafka",
)
REWINDABLE_S = 45
POINTED = 0.6
"""Where the mouse is on the seek bar."""
QUALITY = ("480p", 480)


async def furnish(stack: Stack) -> None:
    """A title and some chat."""
    token = stack.status["demo"]["token"]
    channel = (await live_stream(stack))["user_id"]
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=stack.status["edge"], headers=headers, timeout=30) as edge:
        own = {"broadcaster_id": channel}
        (await edge.patch("/helix/channels", params=own, json={"title": TITLE})).raise_for_status()
        for text in SAID:
            message = {**own, "sender_id": channel, "message": text}
            (await edge.post("/helix/chat/messages", json=message)).raise_for_status()


async def take(page: Page) -> None:
    await choose(page, *QUALITY)
    oldest = "Number(document.querySelector('#seek').ariaValueMin)"
    await page.wait_for_function(f"() => {oldest} <= -{REWINDABLE_S}")
    width = await page.evaluate("() => document.querySelector('#seek').clientWidth")
    await page.hover("#seek", position={"x": width * POINTED, "y": 8})
    picture = "document.querySelector('#preview img')"
    await page.wait_for_function(f"() => !{picture}.hidden && {picture}.naturalWidth > 0")
    await page.wait_for_function(f"() => document.querySelector('h1').textContent === {TITLE!r}")
    await page.wait_for_function("() => document.querySelector('#latency').textContent.endsWith('s')")
    await page.screenshot(path=PICTURE)


async def main(stack: Stack) -> None:
    async with watch_page(stack, width=1280, height=760) as page:
        await furnish(stack)
        await take(page)


if __name__ == "__main__":
    with running_stack({"TALLY_LADDER": "auto"}) as stack, demo_on_air(stack):
        asyncio.run(main(stack))

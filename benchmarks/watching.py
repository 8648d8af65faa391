"""The demo on air, and the watch page in headless Chromium."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
from playwright.async_api import Error, Page, async_playwright

from benchmarks.chromium import FLAGS, chromium_path
from benchmarks.stack import TALLY, Stack

SOON_MS = 60_000


@contextmanager
def demo_on_air(stack: Stack) -> Iterator[None]:
    publisher = subprocess.Popen([TALLY, "demo", *stack.flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        publisher.terminate()
        publisher.wait(timeout=30)


@asynccontextmanager
async def watch_page(stack: Stack, **viewport: int) -> AsyncIterator[Page]:
    """The demo's page, playing. Raises RuntimeError without a Chromium."""
    chromium = chromium_path()
    if chromium is None:
        raise RuntimeError("Chromium is needed: apt-get install chromium")
    options: dict[str, Any] = {"viewport": viewport} if viewport else {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = await browser.new_page(**options)
        page.set_default_timeout(SOON_MS)
        await page.goto(f"{stack.status['edge']}/watch/{stack.status['demo']['login']}")
        await page.wait_for_function("() => document.querySelector('video').currentTime > 1")
        yield page
        await browser.close()


async def choose(page: Page, name: str, height: int) -> None:
    """This rendition in the page's menu, once it is there, and wait until it is what is shown.

    Raises RuntimeError when it does not come, which a ladder that is short of time sees to.
    """
    menu = page.get_by_label("Quality")
    shown = "height => document.querySelector('video').videoHeight === height"
    try:
        await menu.locator(f"option[value='{name}']").wait_for(state="attached")
        await menu.select_option(name)
        await page.wait_for_function(shown, arg=height)
    except Error as error:
        offered = await menu.locator("option").all_inner_texts()
        raise RuntimeError(f"{name} is not shown; the page offers {', '.join(offered)}") from error


async def live_stream(stack: Stack) -> dict[str, Any]:
    """What `/helix/streams` says of the one stream."""
    async with httpx.AsyncClient(base_url=stack.status["edge"]) as edge:
        (stream,) = (await edge.get("/helix/streams")).json()["data"]
    found: dict[str, Any] = stream
    return found

"""Glass to glass: a clock in the demo's picture, read back from the frames that hls.js shows in headless Chromium."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.async_api import Page, async_playwright

from benchmarks.harness import Ratio, Report, percentile
from benchmarks.stack import TALLY, Stack, running_stack
from ingest.demo.clock import READ_CLOCK_JS, WRAP_MS

WATCH_S = 60
SETTLE_S = 10
"""The player starts behind and catches up; what a viewer has after that is measured."""

BAR_MS = 1_500
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)

# Each shown frame gives one sample: the wall clock at which it was presented less the clock in its picture.
SAMPLE_JS = f"""
() => {{
  const read = {READ_CLOCK_JS};
  const video = document.querySelector("video");
  window.samples = [];
  const onFrame = () => {{
    const now = Date.now(), shown = read(video);
    if (shown !== null) window.samples.push((now - shown + {WRAP_MS}) % {WRAP_MS});
    video.requestVideoFrameCallback(onFrame);
  }};
  video.requestVideoFrameCallback(onFrame);
}}
"""


@contextmanager
def _demo(stack: Stack) -> Iterator[None]:
    publisher = subprocess.Popen([TALLY, "demo", *stack.flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        publisher.terminate()
        publisher.wait(timeout=30)


async def _watch(stack: Stack, say: Callable[[str], None]) -> dict[str, Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise RuntimeError("Chromium is needed: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = await browser.new_page()
        await page.goto(f"{stack.status['edge']}/watch/{stack.status['demo']['login']}")
        await _until_playing(page)
        await asyncio.sleep(SETTLE_S)
        say(f"Watching for {WATCH_S} s …")
        await page.evaluate(SAMPLE_JS)
        await asyncio.sleep(WATCH_S)
        samples: list[float] = await page.evaluate("() => window.samples")
        version = browser.version
        await browser.close()
    if not samples:
        raise RuntimeError("no frame with a readable clock was shown")
    return {
        "frames": len(samples),
        "p50_ms": percentile(samples, 0.50),
        "p95_ms": percentile(samples, 0.95),
        "p99_ms": percentile(samples, 0.99),
        "watched_s": WATCH_S,
        "chromium": version,
    }


async def _until_playing(page: Page) -> None:
    await page.wait_for_function(
        "() => { const video = document.querySelector('video'); return video && video.currentTime > 1; }",
        timeout=60_000,
    )


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Publish the demo, watch it on the watch page, and read the clock from every frame shown."""
    with running_stack() as stack, _demo(stack):
        figures = asyncio.run(_watch(stack, say))
    return Report("latency", figures, {"p95_over_limit": Ratio(figures["p95_ms"] / BAR_MS, 1.0, "<=")}, seed)

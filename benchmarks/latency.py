"""Glass to glass: a clock in the demo's picture, read back from the frames that hls.js shows in headless Chromium.

The publisher's own picture and a rung of the ladder, in both profiles of the origin, each chosen in the page's menu.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.async_api import Page, async_playwright

from benchmarks.availability import behind_ms, moments_of, part_target_s
from benchmarks.harness import Ratio, Report, percentile
from benchmarks.stack import TALLY, Stack, running_stack
from ingest.demo.clock import READ_CLOCK_JS, WRAP_MS

WATCH_S = 40
SETTLE_S = 10
"""The player starts behind and catches up; what a viewer has after that is measured."""
SOON_MS = 60_000

SOURCE, RUNG, RUNG_HEIGHT = "source", "480p", 480
SOURCE_HEIGHT = 720


@dataclass(frozen=True)
class Profile:
    """How the origin cuts, and what p95 may be with it."""

    settings: Mapping[str, str]
    part_target_s: float
    bars_ms: Mapping[str, int]
    """By rendition."""


PROFILES = {
    "fast": Profile({"TALLY_HLS_PROFILE": "fast"}, 0.33, {SOURCE: 1_500, RUNG: 2_000}),
    "strict": Profile({"TALLY_HLS_PROFILE": "strict"}, 1.0, {SOURCE: 4_000, RUNG: 4_000}),
}

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
  const seen = window.seen = {{ samples: [], stalls: 0, heights: {{}} }};
  video.addEventListener("waiting", () => seen.stalls++);
  const onFrame = () => {{
    if (seen !== window.seen) return;
    const now = Date.now(), shown = read(video);
    if (shown !== null) seen.samples.push((now - shown + {WRAP_MS}) % {WRAP_MS});
    seen.heights[video.videoHeight] = (seen.heights[video.videoHeight] ?? 0) + 1;
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


@asynccontextmanager
async def _page(stack: Stack) -> AsyncIterator[Page]:
    """The watch page, playing."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise RuntimeError("Chromium is needed: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = await browser.new_page()
        page.set_default_timeout(SOON_MS)
        await page.goto(f"{stack.status['edge']}/watch/{stack.status['demo']['login']}")
        await page.wait_for_function("() => document.querySelector('video').currentTime > 1")
        yield page
        await browser.close()


async def _stream_url(stack: Stack) -> str:
    async with httpx.AsyncClient(base_url=stack.status["edge"]) as edge:
        (stream,) = (await edge.get("/helix/streams")).json()["data"]
    url: str = stream["playback_url"]
    return url.rsplit("/", 1)[0]


async def _choose(page: Page, name: str, height: int) -> None:
    """In the page's menu, once it is there, and wait until it is what is shown."""
    menu = page.get_by_label("Quality")
    await menu.locator(f"option[value='{name}']").wait_for(state="attached")
    await menu.select_option(name)
    await page.wait_for_function("height => document.querySelector('video').videoHeight === height", arg=height)


async def _sample(page: Page) -> dict[str, Any]:
    await asyncio.sleep(SETTLE_S)
    await page.evaluate(SAMPLE_JS)
    await asyncio.sleep(WATCH_S)
    seen = await page.evaluate("() => window.seen")
    samples: list[float] = seen["samples"]
    if not samples:
        raise RuntimeError("no frame with a readable clock was shown")
    return {
        "frames": len(samples),
        "p50_ms": percentile(samples, 0.50),
        "p95_ms": percentile(samples, 0.95),
        "p99_ms": percentile(samples, 0.99),
        "stalls": seen["stalls"],
        "frames_by_height": seen["heights"],
    }


async def _watch(stack: Stack, profile: Profile, say: Callable[[str], None]) -> dict[str, Any]:
    async with _page(stack) as page:
        stream_url = await _stream_url(stack)
        target_s = await part_target_s(stream_url)
        if target_s > profile.part_target_s or target_s < profile.part_target_s / 2:
            raise RuntimeError(f"the origin's part target is {target_s} s, not {profile.part_target_s} s")
        figures: dict[str, Any] = {"part_target_s": target_s}
        for name, height in ((SOURCE, SOURCE_HEIGHT), (RUNG, RUNG_HEIGHT)):
            await _choose(page, name, height)
            say(f"Watching {name} for {WATCH_S} s …")
            figures[name] = await _sample(page)
            say(str(figures[name]))
        moments = await moments_of(stream_url, (SOURCE, RUNG), SETTLE_S)
        behind = behind_ms(moments[RUNG], moments[SOURCE])
        figures["rung_part_after_source_p50_ms"] = round(percentile(behind, 0.5), 1)
        figures["rung_part_after_source_p95_ms"] = round(percentile(behind, 0.95), 1)
    return figures


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Publish the demo, watch it on the watch page, and read the clock from every frame shown."""
    figures: dict[str, Any] = {"watched_s": WATCH_S}
    ratios: dict[str, Ratio] = {}
    for name, profile in PROFILES.items():
        with running_stack({"TALLY_LADDER": "auto", **profile.settings}) as stack, _demo(stack):
            figures[name] = asyncio.run(_watch(stack, profile, say))
        for rendition, bar_ms in profile.bars_ms.items():
            what = "source" if rendition == SOURCE else "rung"
            p95_ms = figures[name][rendition]["p95_ms"]
            ratios[f"{what}_{name}_p95_over_{bar_ms / 1000:g}s"] = Ratio(p95_ms / bar_ms, 1.0, "<=")
    return Report("latency", figures, ratios, seed)

"""Glass to glass: a clock in the demo's picture, read back from the frames that hls.js shows in headless Chromium.

The publisher's own picture and a rung of the ladder, in both profiles of the origin, each chosen in the page's menu.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page

from benchmarks.availability import behind_ms, moments_of, part_target_s
from benchmarks.harness import Ratio, Report, percentile
from benchmarks.stack import Stack, running_stack
from benchmarks.watching import choose, demo_on_air, live_stream, watch_page
from ingest.demo.clock import READ_CLOCK_JS, WRAP_MS

WATCH_S = 40
SETTLE_S = 10
"""The player starts behind and catches up; what a viewer has after that is measured."""

SOURCE, RUNG, RUNG_HEIGHT = "source", "480p", 480
SOURCE_HEIGHT = 720


@dataclass(frozen=True)
class Profile:
    """How the origin cuts, and what p95 may be with it."""

    settings: Mapping[str, str]
    part_target_s: float
    bars_ms: Mapping[str, int]
    """By rendition."""


# The one place that knows how an origin is told its profile.
PROFILES = {
    "fast": Profile({"TALLY_HLS_PROFILE": "fast"}, 0.33, {SOURCE: 1_500, RUNG: 2_000}),
    "strict": Profile({"TALLY_HLS_PROFILE": "strict"}, 1.0, {SOURCE: 4_000, RUNG: 4_000}),
}

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
        "page_says_s": float((await page.locator("#latency").inner_text()).split()[0]),
        "stalls": seen["stalls"],
        "frames_by_height": seen["heights"],
    }


async def _watch(stack: Stack, profile: Profile, say: Callable[[str], None]) -> dict[str, Any]:
    async with watch_page(stack) as page:
        stream_url = (await live_stream(stack))["playback_url"].rsplit("/", 1)[0]
        target_s = await part_target_s(stream_url)
        if target_s > profile.part_target_s or target_s < profile.part_target_s / 2:
            raise RuntimeError(f"the origin's part target is {target_s} s, not {profile.part_target_s} s")
        figures: dict[str, Any] = {"part_target_s": target_s}
        for name, height in ((SOURCE, SOURCE_HEIGHT), (RUNG, RUNG_HEIGHT)):
            await choose(page, name, height)
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
        with running_stack({"TALLY_LADDER": "auto", **profile.settings}) as stack, demo_on_air(stack):
            figures[name] = asyncio.run(_watch(stack, profile, say))
        for rendition, bar_ms in profile.bars_ms.items():
            what = "source" if rendition == SOURCE else "rung"
            p95_ms = figures[name][rendition]["p95_ms"]
            ratios[f"{what}_{name}_p95_over_{bar_ms / 1000:g}s"] = Ratio(p95_ms / bar_ms, 1.0, "<=")
    return Report("latency", figures, ratios, seed)

"""When parts become available: a client of a media playlist that notes the moment each part is first listed."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence

import httpx

_LAST = re.compile(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part(\d+)\.(\d+)\.m4s"')
_TARGET = re.compile(r"#EXT-X-PART-INF:PART-TARGET=([\d.]+)")
_PATIENCE_S = 30.0

Moments = dict[tuple[int, int], float]
"""The monotonic time of each part, by the numbers of its segment and of itself."""


async def part_target_s(stream_url: str) -> float:
    """What the source's playlist says, seconds. Raises RuntimeError when there is none."""
    async with httpx.AsyncClient(timeout=_PATIENCE_S) as client:
        found = _TARGET.search((await client.get(f"{stream_url}/source/media.m3u8")).text)
    if found is None:
        raise RuntimeError("the playlist has no part target")
    return float(found[1])


async def moments_of(stream_url: str, names: Sequence[str], seconds: float) -> dict[str, Moments]:
    """Follow these renditions side by side for that long."""
    async with httpx.AsyncClient(timeout=_PATIENCE_S) as client:
        followed = [_follow(client, f"{stream_url}/{name}/media.m3u8", time.monotonic() + seconds) for name in names]
        return dict(zip(names, await asyncio.gather(*followed), strict=True))


def behind_ms(rung: Moments, source: Moments) -> list[float]:
    """How much later than the source's each part of the rung that both have came."""
    return [(rung[part] - source[part]) * 1000 for part in rung.keys() & source.keys()]


async def _follow(client: httpx.AsyncClient, url: str, until: float) -> Moments:
    moments: Moments = {}
    hinted = _hinted(await client.get(url))
    while time.monotonic() < until:
        number, index = hinted
        answer = await client.get(f"{url}?_HLS_msn={number}&_HLS_part={index}&_HLS_skip=YES")
        moments[hinted] = time.monotonic()
        hinted = _hinted(answer)
    return moments


def _hinted(answer: httpx.Response) -> tuple[int, int]:
    found = _LAST.search(answer.raise_for_status().text)
    if found is None:
        raise RuntimeError("the stream is over")
    return int(found[1]), int(found[2])

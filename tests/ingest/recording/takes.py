"""Segments as a packager closes them, and what a recording's tests look at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ingest.hls.entries import PartEntry, Rendition, SegmentEntry
from ingest.recording.manifest import KeptSegment, Manifest, Track

NOW_S = 1_790_000_000.0
SEGMENT_S = 2.0
PATIENCE_S = 30.0

SOURCE = Rendition("source", "avc1.64001f", 1280, 720, 30.0)
RUNG = Rendition("360p", "avc1.4d401e", 640, 360, 30.0)
AUDIO = Rendition("audio", "mp4a.40.2", channels=2)


def entry(number: int, init: int = 0, *, keyframe: bool = True, at_s: float | None = None, **more: Any) -> SegmentEntry:
    """Segment `number` of a stream that began at NOW_S, two seconds each, of one part."""
    facts: dict[str, Any] = {
        "new_init": False,
        "discontinuities": 0,
        "discontinuity": False,
        "starts_at_s": NOW_S + number * SEGMENT_S if at_s is None else at_s,
        "media_s": number * SEGMENT_S,
        "duration_s": SEGMENT_S,
        "size": 100,
        "parts": (PartEntry(SEGMENT_S, keyframe, 0, 100),),
    }
    return SegmentEntry(number=number, init=init, **(facts | more))


def data_of(name: str, number: int) -> bytes:
    return f"{name} segment {number}".encode()


def kept(number: int, init: int = 0, **more: Any) -> KeptSegment:
    facts: dict[str, Any] = {
        "discontinuity": False,
        "keyframe": True,
        "starts_at_s": NOW_S + number * SEGMENT_S,
        "duration_s": SEGMENT_S,
        "size": 1000,
    }
    return KeptSegment(number, init, **(facts | more))


def track(*segments: KeptSegment, rendition: Rendition = SOURCE) -> Track:
    return Track(
        rendition.name,
        rendition.codecs,
        rendition.width,
        rendition.height,
        rendition.frame_rate,
        rendition.channels,
        tuple(segments),
    )


def recording(*tracks: Track) -> Manifest:
    return Manifest("stream", "stream", "channel", tracks)


async def becomes(condition: Callable[[], object]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # what it looks at does not tell
            await asyncio.sleep(0.01)


async def comes(look: Callable[[], Awaitable[Any]]) -> Any:
    """The first result that is true."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await look()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return found

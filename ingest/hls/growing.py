"""The open segment over HTTP, while it grows (DASH-IF IOP, low latency live: chunked transfer of CMAF chunks)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from ingest.answers import MEDIA_TYPE
from ingest.hls.held import Held
from ingest.hls.shelf import Slice
from ingest.hls.window import Window

_PATIENCE_S = 60.0
"""The longest wait for a part. A publisher that sends nothing is let go of sooner, which closes the segment."""


class Starved(Exception):
    """The rest of a segment does not come. The connection breaks, so that no cache takes the segment for whole."""


class GrowingSegment(StreamingResponse):
    """Each part as it is published, until the segment closes."""

    def __init__(self, window: Window, number: int, held: Held, headers: Mapping[str, str]) -> None:
        super().__init__(_parts(window, number), headers=headers, media_type=MEDIA_TYPE)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held.place():
            await super().__call__(scope, receive, send)


async def _parts(window: Window, number: int) -> AsyncIterator[bytes]:
    told, size = 0, 0

    def news() -> bool:
        parts = window.growing(number)
        return parts is None or len(parts) > told

    while await window.wait_for(news, _PATIENCE_S) and (parts := window.growing(number)) is not None:
        for part in parts[told:]:
            if part:
                size += len(part)
                yield part
            told += 1
    whole = window.segment(number)
    if window.growing(number) is not None or whole is None:
        raise Starved(f"segment {number} of {window.rendition.name}")
    content = await asyncio.to_thread(whole.read) if isinstance(whole, Slice) else whole
    if rest := content[size:]:
        yield rest

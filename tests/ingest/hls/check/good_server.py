"""The good stream over HTTP, live: an LL-HLS server without a fault, with two pictures and a sound."""

from __future__ import annotations

import asyncio
import gzip
import time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.ingest.hls.check.good import (
    BLOCKED,
    MEDIA_HEADERS,
    NAMES,
    PLAYLIST_HEADERS,
    bytes_of,
    multivariant_text,
    render,
)

WINDOW = 16
PARTS_S = 1.0
BEGUN = 60
"""Seconds of media that are there at first."""


class GoodServer:
    """Publishes a part a second. A test may switch one thing that it does right to wrong."""

    def __init__(self, wrong: str = "") -> None:
        self._wrong = wrong
        self._start_s = time.monotonic() - BEGUN * PARTS_S
        self.app = Starlette(
            routes=[Route("/live/index.m3u8", self._index), Route("/live/{folder}/{name}", self._serve)]
        )

    @property
    def _parts(self) -> int:
        return int((time.monotonic() - self._start_s) / PARTS_S)

    async def _until(self, parts: int) -> None:
        await asyncio.sleep(max(0.0, self._start_s + parts * PARTS_S - time.monotonic() + 0.01))

    async def _index(self, request: Request) -> Response:
        return _playlist(multivariant_text())

    async def _serve(self, request: Request) -> Response:
        folder, name = request.path_params["folder"], request.path_params["name"]
        if name == "media.m3u8":
            return await self._media_playlist(request, f"{folder}/{name}")
        if name.startswith("part"):
            segment, index, _ = name.removeprefix("part").split(".")
            wanted = 2 * int(segment) + int(index) + 1
            if wanted > self._parts + 1 + (2 if self._parts % 2 else 0):
                return Response(status_code=404)
            if self._wrong != "hints":
                await self._until(wanted)
        body = bytes_of(f"{folder}/media.m3u8", name)
        if body is None or (self._wrong == "hints" and name.startswith("part") and wanted > self._parts):
            return Response(status_code=404)
        return Response(body, headers=MEDIA_HEADERS)

    async def _media_playlist(self, request: Request, name: str) -> Response:
        query = request.query_params
        segment, part = query.get("_HLS_msn"), query.get("_HLS_part")
        if part is not None and segment is None and self._wrong != "part alone":
            return Response(status_code=400)
        if segment is not None:
            if not segment.isdecimal() or int(segment) > self._parts // 2 + 2 or int(part or 0) > 30:
                return Response(status_code=400)
            wanted = 2 * int(segment) + (min(int(part), 2) + 1 if part is not None else 2)
            if self._wrong != "blocking":
                await self._until(wanted)
        last, still_open = self._parts // 2 - 1, self._parts % 2
        if self._wrong == "reports" and name == NAMES[2]:
            text = render(name, last - WINDOW + 1, last, still_open).replace("LAST-MSN=", "LAST-MSN=1")
        else:
            skipped = WINDOW - 7 if "_HLS_skip" in query else 0
            text = render(name, last - WINDOW + 1, last, still_open, skipped=skipped)
        return _playlist(text, blocked=segment is not None)


def _playlist(text: str, blocked: bool = False) -> Response:
    headers = PLAYLIST_HEADERS | ({"cache-control": BLOCKED} if blocked else {})
    return Response(gzip.compress(text.encode()), headers=headers)

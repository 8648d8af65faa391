"""The LL-HLS origin over HTTP (RFC 8216bis 6.2.5), made for a CDN in front of it."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ingest.answers import GZIP, MEDIA_TYPE, OPEN, accepts_gzip, preflight
from ingest.dash.serving import MANIFEST_PATH, TIME_PATH, Manifests, answer_time
from ingest.hls.growing import GrowingSegment
from ingest.hls.live_edge import (
    BRIEF,
    MEDIA_HEADERS,
    NOT_STORED,
    Hold,
    LiveEdge,
    late,
    not_found,
    playlist_answer,
    refusal,
    unavailable,
)
from ingest.hls.registry import Registry
from ingest.hls.shelf import Slice, remove_all
from ingest.hls.wanted import BadDirective, Wanted, wanted_of
from ingest.hls.window import Window
from ingest.ranges import answer_range

INDEX_PATH = "/live/{stream_id}/index.m3u8"
RENDITION_PATH = "/live/{stream_id}/{rendition}/{name}"

_INIT = re.compile(r"init(\d{1,9})\.mp4", re.ASCII)
_SEGMENT = re.compile(r"segment(\d{1,9})\.m4s", re.ASCII)
_HOUSEKEEPING_S = 1.0


class Origin:
    """Answers for the streams of a registry: at the live edge as that says, and with what lies behind it."""

    def __init__(self, edge: LiveEdge, public_url: str) -> None:
        self._edge = edge
        self._manifests = Manifests(public_url)

    async def index(self, request: Request) -> Response:
        """The multivariant playlist."""
        playback = self._edge.registry.find(request.path_params["stream_id"])
        if playback is None or not playback.ready:
            return not_found()
        content, gzip = playback.multivariant().encode(), accepts_gzip(request)
        return playlist_answer(zlib.compress(content, wbits=GZIP) if gzip else content, BRIEF, gzip)

    async def manifest(self, request: Request) -> Response:
        """The MPD."""
        playback = self._edge.registry.find(request.path_params["stream_id"])
        headers = {**OPEN, "Cache-Control": BRIEF}
        answer = await self._manifests.answer(playback, request, headers) if playback else None
        return answer or not_found()

    async def serve(self, request: Request) -> Response:
        """A rendition's playlist or media."""
        name: str = request.path_params["name"]
        window = self._edge.window(request.path_params["stream_id"], request.path_params["rendition"])
        if window is None:
            return not_found()
        try:
            wanted = wanted_of(name, request.scope["query_string"])
        except BadDirective as error:
            return refusal(400, str(error))
        if wanted is not None:
            return await self._at_the_edge(request, window, wanted)
        if match := _SEGMENT.fullmatch(name):
            return await self._segment(request, window, int(match[1]))
        match = _INIT.fullmatch(name)
        return await _media(request, window.init(int(match[1])) if match else None)

    async def _at_the_edge(self, request: Request, window: Window, wanted: Wanted) -> Response:
        gzip, span = accepts_gzip(request), request.headers.get("range")
        found = self._edge.ask(window, wanted, gzip, span)
        while isinstance(found, Hold):
            with self._edge.held.place():
                arrived = await window.wait_for(found.is_over, found.longest_s)
            found = self._edge.ask(window, wanted, gzip, span) if arrived else late()
        return await _media(request, found) if isinstance(found, Slice) else found

    async def _segment(self, request: Request, window: Window, number: int) -> Response:
        if not any(window.growing(number) or ()):
            return await _media(request, window.segment(number))
        if self._edge.held.full:
            return unavailable("too many requests wait")
        return GrowingSegment(window, number, self._edge.held, MEDIA_HEADERS)


def create_origin(edge: LiveEdge, beside: Sequence[BaseRoute] = (), public_url: str = "") -> Starlette:
    """The ASGI app. It keeps house in the edge's registry while it runs. The routes `beside` its own come first.

    `public_url` is its address, or its CDN's, as players see it.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        keeping = asyncio.create_task(_keep_house(edge.registry))
        yield
        keeping.cancel()
        await asyncio.wait([keeping])

    origin = Origin(edge, public_url)
    return Starlette(
        routes=[
            *beside,
            Route(INDEX_PATH, origin.index, methods=["GET"]),
            Route(RENDITION_PATH, origin.serve, methods=["GET"]),
            Route(MANIFEST_PATH, origin.manifest, methods=["GET"]),
            Route(TIME_PATH, answer_time, methods=["GET"]),
            Route(INDEX_PATH, preflight, methods=["OPTIONS"]),
            Route(RENDITION_PATH, preflight, methods=["OPTIONS"]),
            Route(MANIFEST_PATH, preflight, methods=["OPTIONS"]),
            Route("/health/live", _healthy),
            Route("/health/ready", _healthy),
        ],
        exception_handlers={HTTPException: _refuse},
        lifespan=lifespan,
    )


async def _keep_house(registry: Registry) -> None:
    """What waits for the disk, by one thread."""
    loop = asyncio.get_running_loop()
    while True:
        if playbacks := registry.has_work():
            await asyncio.to_thread(registry.store, playbacks)
        for directory in registry.sweep(loop.time()):
            await asyncio.to_thread(remove_all, directory)
        await asyncio.sleep(_HOUSEKEEPING_S)


async def _healthy(request: Request) -> Response:
    return PlainTextResponse("ok", headers={"Cache-Control": NOT_STORED})


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # what this handler is registered for
    return refusal(error.status_code, error.detail, error.headers)


async def _media(request: Request, found: bytes | Slice | None) -> Response:
    if found is None:
        return not_found()
    try:
        content = await asyncio.to_thread(found.read) if isinstance(found, Slice) else found
    except OSError:
        return not_found()
    return answer_range(request.headers.get("range"), content, MEDIA_HEADERS, MEDIA_TYPE)

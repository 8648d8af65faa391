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
from ingest.hls.held import Held
from ingest.hls.playlist import MEDIA_PLAYLIST
from ingest.hls.registry import Registry
from ingest.hls.shelf import Slice, remove_all
from ingest.hls.window import Window
from ingest.ranges import answer_range

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
INDEX_PATH = "/live/{stream_id}/index.m3u8"
RENDITION_PATH = "/live/{stream_id}/{rendition}/{name}"

_IMMUTABLE = "public, max-age=31536000, immutable"
_BRIEF = "public, max-age=1"
_NOT_STORED = "no-store"
_HOLD_TARGETS = 3
"""Target durations for which a request is held before it is given up (RFC 8216bis 6.2.5.2)."""
_INIT = re.compile(r"init(\d{1,9})\.mp4", re.ASCII)
_SEGMENT = re.compile(r"segment(\d{1,9})\.m4s", re.ASCII)
_PART = re.compile(r"part(\d{1,9})\.(\d{1,6})\.m4s", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_SWEEP_S = 1.0


class Origin:
    """Answers for the streams of a registry. `held_max` bounds the requests that wait at one time."""

    def __init__(self, registry: Registry, held_max: int, public_url: str) -> None:
        self._registry = registry
        self._held = Held(held_max)
        self._manifests = Manifests(public_url)

    async def index(self, request: Request) -> Response:
        """The multivariant playlist."""
        playback = self._registry.find(request.path_params["stream_id"])
        if playback is None or not playback.ready:
            raise _not_found()
        content, gzip = playback.multivariant().encode(), accepts_gzip(request)
        return _playlist(zlib.compress(content, wbits=GZIP) if gzip else content, _BRIEF, gzip)

    async def manifest(self, request: Request) -> Response:
        """The MPD."""
        playback = self._registry.find(request.path_params["stream_id"])
        headers = {**OPEN, "Cache-Control": _BRIEF}
        answer = await self._manifests.answer(playback, request, headers) if playback else None
        if answer is None:
            raise _not_found()
        return answer

    async def serve(self, request: Request) -> Response:
        """A rendition's playlist or media."""
        playback = self._registry.find(request.path_params["stream_id"])
        window = playback.window(request.path_params["rendition"]) if playback else None
        name: str = request.path_params["name"]
        if window is None:
            raise _not_found()
        if name == MEDIA_PLAYLIST:
            return await self._media_playlist(request, window)
        if match := _PART.fullmatch(name):
            return await self._part(request, window, int(match[1]), int(match[2]))
        if match := _SEGMENT.fullmatch(name):
            return await self._segment(request, window, int(match[1]))
        if match := _INIT.fullmatch(name):
            return await _media(request, window.init(int(match[1])))
        raise _not_found()

    async def _media_playlist(self, request: Request, window: Window) -> Response:
        number, index = _directive(request, "_HLS_msn"), _directive(request, "_HLS_part")
        skip = request.query_params.get("_HLS_skip")
        if skip not in (None, "YES", "v2") or (index is not None and number is None):
            raise _bad_request("_HLS_skip is YES or v2, and _HLS_part needs _HLS_msn")
        lifetime = _BRIEF
        if number is not None and not window.ended:
            if window.is_ahead(number, index):
                raise _bad_request("that is too far ahead")
            await self._hold(window, number, index)
            lifetime = f"public, max-age={2 * _HOLD_TARGETS * window.target_s}"
        gzip = accepts_gzip(request)
        return _playlist(window.playlist(skip is not None, gzip), lifetime, gzip)

    async def _part(self, request: Request, window: Window, number: int, index: int) -> Response:
        if window.is_hinted(number, index) and not window.ended:
            await self._hold(window, number, index)
        return await _media(request, window.part(number, index))

    async def _segment(self, request: Request, window: Window, number: int) -> Response:
        if not any(window.growing(number) or ()):
            return await _media(request, window.segment(number))
        if self._held.full:
            raise _unavailable("too many requests wait")
        return GrowingSegment(window, number, self._held, {**OPEN, "Cache-Control": _IMMUTABLE})

    async def _hold(self, window: Window, number: int, index: int | None) -> None:
        """Return when the playlist has it, or the stream is over."""
        if window.has(number, index):
            return
        if self._held.full:
            raise _unavailable("too many requests wait")
        with self._held.place():
            arrived = await window.wait_for(lambda: window.has(number, index), _HOLD_TARGETS * window.target_s)
        if not arrived:
            raise _unavailable("nothing arrived in time")


def create_origin(
    registry: Registry, held_max: int = 20_000, beside: Sequence[BaseRoute] = (), public_url: str = ""
) -> Starlette:
    """The ASGI app. It sweeps the registry while it runs. The routes `beside` its own come first.

    `public_url` is its address, or its CDN's, as players see it.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_sweep(registry))
        yield
        sweeping.cancel()
        await asyncio.wait([sweeping])

    origin = Origin(registry, held_max, public_url)
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


async def _sweep(registry: Registry) -> None:
    loop = asyncio.get_running_loop()
    while True:
        for directory in registry.sweep(loop.time()):
            await asyncio.to_thread(remove_all, directory)
        await asyncio.sleep(_SWEEP_S)


async def _healthy(request: Request) -> Response:
    return PlainTextResponse("ok", headers={"Cache-Control": _NOT_STORED})


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # what this handler is registered for
    headers = {**OPEN, "Cache-Control": _BRIEF, **(error.headers or {})}
    return PlainTextResponse(error.detail, error.status_code, headers)


def _directive(request: Request, name: str) -> int | None:
    values = request.query_params.getlist(name)
    if not values:
        return None
    if len(values) > 1 or not _NUMBER.fullmatch(values[0]):
        raise _bad_request(f"{name} is one decimal number")
    return int(values[0])


def _playlist(content: bytes, lifetime: str, gzip: bool) -> Response:
    headers = {**OPEN, "Cache-Control": lifetime, "Vary": "Accept-Encoding"}
    if gzip:
        headers["Content-Encoding"] = "gzip"
    return Response(content, headers=headers, media_type=PLAYLIST_TYPE)


async def _media(request: Request, found: bytes | Slice | None) -> Response:
    if found is None:
        raise _not_found()
    try:
        content = await asyncio.to_thread(found.read) if isinstance(found, Slice) else found
    except OSError:
        raise _not_found() from None
    return answer_range(request.headers.get("range"), content, {**OPEN, "Cache-Control": _IMMUTABLE}, MEDIA_TYPE)


def _not_found() -> HTTPException:
    return HTTPException(404, "no such stream or segment")


def _bad_request(reason: str) -> HTTPException:
    return HTTPException(400, reason)


def _unavailable(reason: str) -> HTTPException:
    return HTTPException(503, reason, {"Cache-Control": _NOT_STORED, "Retry-After": "1"})

"""Recordings and clips over HTTP, out of the store: what any static server could do too, and pictures in every size."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ingest.answers import OPEN, preflight
from ingest.ranges import answer_part, answer_whole, span_of
from ingest.recording.objects import AN_HOUR, KINDS, cover_key, ending_of
from ingest.storage.contract import Store, StoreAway, checked_key
from ingest.thumbnails.printing import Printing, size_of

AT_ONCE = 64
"""Objects in memory at a time; further requests wait for their turn."""

_EXPOSED = {"Access-Control-Expose-Headers": "Content-Length, Content-Range"}


def vod_routes(store: Store, printing: Printing) -> list[Route]:
    """`/vod/{key}`: GET, HEAD and what browsers ask before; and covers in the size that is asked for."""
    vod = _Vod(store, printing)
    return [
        Route("/vod/{home:path}/thumbnail-{size}", vod.thumbnail, methods=["GET"]),
        Route("/vod/{key:path}", vod.serve, methods=["GET"]),
        Route("/vod/{key:path}", preflight, methods=["OPTIONS"]),
    ]


class _Vod:
    def __init__(self, store: Store, printing: Printing) -> None:
        self._store = store
        self._printing = printing
        self._places = asyncio.Semaphore(AT_ONCE)

    async def serve(self, request: Request) -> Response:
        key: str = request.path_params["key"]
        kind = KINDS.get(ending_of(key))
        if kind is None or not _is_key(key):
            return _refusal(404, "no such recording")
        span = span_of(request.headers.get("range"))
        # The size is not known before, so that the last so many bytes get everything, as is allowed.
        first, last = (span.first, span.last) if span and span.first is not None else (None, None)
        try:
            async with self._places:
                blob = await self._store.get(key, first or 0, last)
        except StoreAway:
            return _away()
        if blob is None:
            return _refusal(404, "no such recording")
        headers = {**OPEN, **_EXPOSED, "Cache-Control": kind.cache_control}
        if first is None:
            return answer_whole(blob.data, headers, kind.content_type)
        return answer_part(first, blob.data, blob.size, headers, kind.content_type)

    async def thumbnail(self, request: Request) -> Response:
        size, key = size_of(request.path_params["size"]), cover_key(request.path_params["home"])
        if not _is_key(key):
            return _refusal(404, "no such recording")
        try:
            async with self._places:
                cover = await self._store.get(key)
        except StoreAway:
            return _away()
        if cover is None:
            return _refusal(404, "there is no picture of this recording")
        data = await self._printing.resized(key, cover.data, size)
        return Response(data, headers={**OPEN, "Cache-Control": AN_HOUR}, media_type=size.content_type)


def _is_key(key: str) -> bool:
    try:
        checked_key(key)
    except ValueError:
        return False
    return "/" in key


def _away() -> Response:
    return _refusal(503, "the store of recordings cannot be reached", {"Retry-After": "5"})


def _refusal(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    lifetime = "public, max-age=1" if status == 404 else "no-store"
    said = {**OPEN, "Accept-Ranges": "bytes", "Cache-Control": lifetime}
    return PlainTextResponse(reason, status, {**said, **(headers or {})})

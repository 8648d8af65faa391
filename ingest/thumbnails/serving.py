"""Thumbnails over HTTP, in the form of Helix's `thumbnail_url`, and the sprites of live streams."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ingest.answers import OPEN, preflight
from ingest.thumbnails.album import Album
from ingest.thumbnails.artist import Drawing
from ingest.thumbnails.drawing import Format, Unreadable
from ingest.thumbnails.gallery import Gallery
from ingest.thumbnails.prints import Busy, Prints
from ingest.thumbnails.sizes import nearest
from ingest.thumbnails.sprites import SHEET_TYPE, VTT_NAME, VTT_TYPE

_BRIEF = "public, max-age=5"
"""Half of the usual interval."""
_IMMUTABLE = "public, max-age=31536000, immutable"
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})\.(jpg|webp)", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_FORMATS: dict[str, tuple[Format, str]] = {"jpg": ("JPEG", "image/jpeg"), "webp": ("WEBP", "image/webp")}


class Thumbnails:
    """Draws what is asked for. `prints` bounds what that costs."""

    def __init__(self, gallery: Gallery, drawing: Drawing, prints: Prints) -> None:
        self._gallery = gallery
        self._drawing = drawing
        self._prints = prints

    async def thumbnail(self, request: Request) -> Response:
        album = self._album(request)
        match = _SIZE.fullmatch(request.path_params["size"])
        if match is None:
            raise HTTPException(404, "a thumbnail is named thumbnail-{width}x{height}.jpg or .webp, sizes in pixels")
        try:
            width, height = nearest(int(match[1]), int(match[2]))
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        latest = album.latest
        if latest is None:
            raise _no_picture()
        form, content_type = _FORMATS[match[3]]
        data = await self._made(
            (album.number, album.pictures, width, height, form),
            lambda: self._drawing.resized(latest, width, height, form),
        )
        return Response(data, headers={**OPEN, "Cache-Control": _BRIEF}, media_type=content_type)

    async def vtt(self, request: Request) -> Response:
        album = self._album(request)
        if not album.pictures:
            raise _no_picture()
        return Response(album.sprites.live_vtt(), headers={**OPEN, "Cache-Control": _BRIEF}, media_type=VTT_TYPE)

    async def sheet(self, request: Request) -> Response:
        album = self._album(request)
        number: str = request.path_params["number"]
        sheet = album.sprites.find(int(number)) if _NUMBER.fullmatch(number) else None
        if sheet is None:
            raise HTTPException(404, "no such sprite sheet; take its name from thumbnails.vtt")
        lifetime = _IMMUTABLE if sheet.closed else _BRIEF
        data = sheet.data
        if data is None:
            tiles, tile_size = [*sheet.tiles], sheet.tile_size
            data = await self._made(
                (album.number, sheet.name, len(tiles)), lambda: self._drawing.sheet(tiles, tile_size)
            )
        return Response(data, headers={**OPEN, "Cache-Control": lifetime}, media_type=SHEET_TYPE)

    def _album(self, request: Request) -> Album:
        album = self._gallery.find(request.path_params["stream_id"])
        if album is None:
            raise _no_picture()
        return album

    async def _made(self, key: tuple[object, ...], make: Callable[[], Coroutine[None, None, bytes]]) -> bytes:
        try:
            return await self._prints.get(key, make)
        except (Busy, Unreadable):
            headers = {"Cache-Control": "no-store", "Retry-After": "1"}
            raise HTTPException(503, "the picture cannot be drawn now; ask again", headers) from None


def thumbnail_routes(thumbnails: Thumbnails) -> list[BaseRoute]:
    """To stand before the origin's own, which take every name."""
    answers = {
        "thumbnail-{size}": thumbnails.thumbnail,
        VTT_NAME: thumbnails.vtt,
        "sprite{number}.jpg": thumbnails.sheet,
    }
    return [
        route
        for name, answer in answers.items()
        for route in (
            Route(f"/live/{{stream_id}}/{name}", answer, methods=["GET"]),
            Route(f"/live/{{stream_id}}/{name}", preflight, methods=["OPTIONS"]),
        )
    ]


def _no_picture() -> HTTPException:
    return HTTPException(404, "there is no picture of this stream yet")

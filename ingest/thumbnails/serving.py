"""Thumbnails and sprites of live streams over HTTP."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ingest.answers import OPEN, preflight
from ingest.thumbnails.album import Album
from ingest.thumbnails.gallery import Gallery
from ingest.thumbnails.printing import Printing, size_of
from ingest.thumbnails.sprites import SHEET_TYPE
from ingest.thumbnails.vtt import VTT_NAME, VTT_TYPE

_BRIEF = "public, max-age=5"
"""Half of the usual interval."""
_IMMUTABLE = "public, max-age=31536000, immutable"
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


class Thumbnails:
    """What the gallery has, in the sizes that are asked for."""

    def __init__(self, gallery: Gallery, printing: Printing) -> None:
        self._gallery = gallery
        self._printing = printing

    async def thumbnail(self, request: Request) -> Response:
        album = self._album(request)
        size = size_of(request.path_params["size"])
        if album.latest is None:
            raise _no_picture()
        data = await self._printing.resized((album.number, album.pictures), album.latest, size)
        return Response(data, headers={**OPEN, "Cache-Control": _BRIEF}, media_type=size.content_type)

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
            data = await self._printing.sheet((album.number, sheet.name), [*sheet.tiles], sheet.tile_size)
        return Response(data, headers={**OPEN, "Cache-Control": lifetime}, media_type=SHEET_TYPE)

    def _album(self, request: Request) -> Album:
        album = self._gallery.find(request.path_params["stream_id"])
        if album is None:
            raise _no_picture()
        return album


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

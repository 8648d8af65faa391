"""Pictures in the sizes that are asked for over HTTP, in the form of Helix's `thumbnail_url`."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Hashable
from typing import NamedTuple

from starlette.exceptions import HTTPException

from ingest.thumbnails.artist import Drawing
from ingest.thumbnails.drawing import Format, Unreadable
from ingest.thumbnails.prints import Busy, Prints
from ingest.thumbnails.sizes import nearest

_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})\.(jpg|webp)", re.ASCII)
_FORMATS: dict[str, tuple[Format, str]] = {"jpg": ("JPEG", "image/jpeg"), "webp": ("WEBP", "image/webp")}


class Size(NamedTuple):
    """Pixels, and the form."""

    width: int
    height: int
    form: Format
    content_type: str


def size_of(text: str) -> Size:
    """What `{width}x{height}.jpg` or `.webp` asks for, rounded to a size that is made. Raises HTTPException."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise HTTPException(404, "a thumbnail is named thumbnail-{width}x{height}.jpg or .webp, sizes in pixels")
    try:
        return Size(*nearest(int(match[1]), int(match[2])), *_FORMATS[match[3]])
    except ValueError as error:
        raise HTTPException(400, str(error)) from None


class Printing:
    """Draws what is asked for. `prints` bounds what that costs. Keys tell pictures apart. Raises HTTPException 503."""

    def __init__(self, drawing: Drawing, prints: Prints) -> None:
        self._drawing = drawing
        self._prints = prints

    async def resized(self, key: Hashable, master: bytes, size: Size) -> bytes:
        """The picture in another size."""
        width, height, form, _ = size
        return await self._made((key, size), lambda: self._drawing.resized(master, width, height, form))

    async def sheet(self, key: Hashable, tiles: list[bytes], tile_size: tuple[int, int]) -> bytes:
        """The tiles as one picture."""
        return await self._made((key, len(tiles)), lambda: self._drawing.sheet(tiles, tile_size))

    async def _made(self, key: Hashable, make: Callable[[], Coroutine[None, None, bytes]]) -> bytes:
        try:
            return await self._prints.get(key, make)
        except (Busy, Unreadable):
            headers = {"Cache-Control": "no-store", "Retry-After": "1"}
            raise HTTPException(503, "the picture cannot be drawn now; ask again", headers) from None

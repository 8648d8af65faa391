"""All that makes thumbnails on a node, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.routing import BaseRoute

from ingest.thumbnails.artist import Artist
from ingest.thumbnails.gallery import Gallery
from ingest.thumbnails.printing import Printing
from ingest.thumbnails.prints import Prints
from ingest.thumbnails.serving import Thumbnails, thumbnail_routes


@dataclass(frozen=True)
class Studio:
    gallery: Gallery
    printing: Printing
    routes: list[BaseRoute]


@asynccontextmanager
async def running_studio(interval_s: float, window_s: float, announce: Callable[[str], None]) -> AsyncIterator[Studio]:
    """As `Gallery` takes them; it draws until the context is left."""
    artist = Artist()
    gallery = Gallery(artist, interval_s=interval_s, window_s=window_s, announce=announce)
    drawing = asyncio.create_task(gallery.run())
    try:
        printing = Printing(artist, Prints())
        yield Studio(gallery, printing, thumbnail_routes(Thumbnails(gallery, printing)))
    finally:
        drawing.cancel()
        await asyncio.wait([drawing])
        await artist.close()

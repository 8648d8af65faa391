"""The albums of all streams of a node, and the queue of what is to be drawn."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from itertools import count

import structlog

from ingest.hls.sink import SegmentSink
from ingest.thumbnails.album import Album, Keeper, Shot
from ingest.thumbnails.artist import Drawing
from ingest.thumbnails.drawing import Unreadable
from ingest.thumbnails.sprites import Sheet, Sprites

PENDING_MAX = 64
"""Shots that wait; the oldest is dropped for a newer one."""
LINGER_S = 60.0
"""How long the pictures of a stream that is over can be fetched."""

_log = structlog.get_logger(__name__)


class Gallery:
    """Streams hand shots in on the event loop and never wait; `run` draws them one after another.

    A stream has at most one shot waiting, so that one that is pushed faster than time takes no other's turn.
    """

    def __init__(
        self,
        drawing: Drawing,
        *,
        interval_s: float,
        window_s: float,
        announce: Callable[[str], None],
        linger_s: float = LINGER_S,
    ) -> None:
        """`window_s` is how far back players of a live stream can go. `announce` hears the id of a stream when its
        first picture is there."""
        self._drawing = drawing
        self._interval_s = interval_s
        self._window_s = window_s
        self._announce = announce
        self._linger_s = linger_s
        self._numbers = count()
        self._albums: dict[str, Album] = {}
        self._shots: OrderedDict[Album, Shot] = OrderedDict()
        self._over: OrderedDict[Album, None] = OrderedDict()
        self._work = asyncio.Event()

    def open(self, stream_id: str, keeper: Keeper | None = None) -> SegmentSink:
        """Where a stream's segments go. `keeper` takes the pictures of its recording."""
        sprites = Sprites(self._interval_s, self._window_s)
        album = Album(stream_id, next(self._numbers), sprites, self._interval_s, self._shoot, self._end, keeper)
        self._albums[stream_id] = album
        return album

    def find(self, stream_id: str) -> Album | None:
        return self._albums.get(stream_id)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._shots or self._over:
                await self._do_one()

    def _shoot(self, album: Album, shot: Shot) -> None:
        if album not in self._shots and len(self._shots) >= PENDING_MAX:
            dropped, _ = self._shots.popitem(last=False)
            _log.warning("too many pictures wait to be drawn; one is left out", stream_id=dropped.stream_id)
        self._shots[album] = shot
        self._work.set()

    def _end(self, album: Album) -> None:
        self._over[album] = None
        self._work.set()

    async def _do_one(self) -> None:
        """One picture; then an end, unless that stream's last picture still waits."""
        try:
            if self._shots:
                await self._draw(*self._shots.popitem(last=False))
            ended = next((album for album in self._over if album not in self._shots), None)
            if ended:
                del self._over[ended]
                await self._round_off(ended)
        except Exception:
            _log.exception("a picture was not drawn")

    async def _draw(self, album: Album, shot: Shot) -> None:
        try:
            picture = await self._drawing.picture(shot.media)
        except Unreadable as error:
            if not album.failing:
                _log.warning("no picture can be drawn", stream_id=album.stream_id, reason=str(error))
            album.failing = True
            return
        album.failing = False
        closed = album.add(shot.starts_at_s, picture)
        if album.pictures == 1:
            self._announce(album.stream_id)
        if closed:
            await self._draw_sheet(album, closed)

    async def _draw_sheet(self, album: Album, sheet: Sheet) -> None:
        try:
            data = await self._drawing.sheet([*sheet.tiles], sheet.tile_size)
        except Unreadable as error:
            _log.warning("a sheet was not drawn", stream_id=album.stream_id, sheet=sheet.number, reason=str(error))
        else:
            album.drawn(sheet, data)

    async def _round_off(self, album: Album) -> None:
        try:
            if closed := album.sprites.close():
                await self._draw_sheet(album, closed)
        finally:
            album.round_off()
        asyncio.get_running_loop().call_later(self._linger_s, self._forget, album)

    def _forget(self, album: Album) -> None:
        if self._albums.get(album.stream_id) is album:
            del self._albums[album.stream_id]

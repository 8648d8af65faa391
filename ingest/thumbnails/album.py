"""One stream's pictures: takes its segments, says which of them to draw, holds what was drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ingest.hls.entries import Rendition, SegmentEntry
from ingest.thumbnails.drawing import Picture
from ingest.thumbnails.sprites import Sheet, Sprites

SHOT_MAX = 4 * 1024 * 1024
"""Bytes. A part that is larger is not drawn: what waits to be drawn must stay small."""
_SOURCE = "source"


class Keeper(Protocol):
    """Takes the pictures of a recording: called on the event loop, so it queues and returns."""

    def cover(self, picture: bytes) -> None:
        """The stream's first picture, a JPEG."""

    def sheet(self, sheet: Sheet, data: bytes) -> None:
        """A sheet that is closed, and the JPEG of it."""

    def done(self) -> None:
        """Nothing follows."""


@dataclass(frozen=True)
class Shot:
    """Media to draw the first keyframe of, and when that is shown, Unix time."""

    starts_at_s: float
    media: bytes


class Album:
    """A SegmentSink. It calls `shoot` with a shot every `interval_s` of media, and `over` at the end."""

    def __init__(
        self,
        stream_id: str,
        number: int,
        sprites: Sprites,
        interval_s: float,
        shoot: Callable[[Album, Shot], None],
        over: Callable[[Album], None],
        keeper: Keeper | None,
    ) -> None:
        self.stream_id = stream_id
        self.number = number
        """Its own on the node, also when a stream has a second album."""
        self.sprites = sprites
        self.latest: bytes | None = None
        """The newest picture, a JPEG."""
        self.pictures = 0
        """How many there were."""
        self.failing = False
        self._interval_s = interval_s
        self._shoot = shoot
        self._over = over
        self._keeper = keeper
        self._init: tuple[int, bytes] | None = None
        self._media_s = 0.0
        self._due_s = 0.0

    # The packager's side

    def begin(self, rendition: Rendition, init_number: int, init: bytes) -> None:
        if rendition.name == _SOURCE:
            self._init = (init_number, init) if rendition.width else None

    def segment(self, rendition_name: str, entry: SegmentEntry, data: bytes) -> None:
        if rendition_name != _SOURCE:
            return
        # The segment that is nearest to the moment is taken: durations are whole frames and seldom add up to it.
        middle_s = self._media_s + entry.duration_s / 2
        self._media_s += entry.duration_s
        if self._init is None or self._init[0] != entry.init or middle_s <= self._due_s:
            return
        part = _independent_part(entry, data)
        if part is None:
            return
        # Counted from when it was due and not from now, so that segments that do not divide it keep the pace.
        while self._due_s < middle_s:
            self._due_s += self._interval_s
        self._shoot(self, Shot(entry.starts_at_s, self._init[1] + part))

    def finish(self) -> None:
        self._over(self)

    # The gallery's side

    def add(self, starts_at_s: float, picture: Picture) -> Sheet | None:
        """Show a picture; returns the sheet that it closed."""
        self.latest = picture.master
        self.pictures += 1
        if self._keeper and self.pictures == 1:
            self._keeper.cover(picture.master)
        return self.sprites.add(starts_at_s, picture.tile, picture.tile_size)

    def drawn(self, sheet: Sheet, data: bytes) -> None:
        """Hold a closed sheet as one picture in place of its tiles."""
        sheet.data = data
        sheet.tiles.clear()
        if self._keeper:
            self._keeper.sheet(sheet, data)

    def round_off(self) -> None:
        """Nothing more is drawn."""
        if self._keeper:
            self._keeper.done()


def _independent_part(entry: SegmentEntry, data: bytes) -> bytes | None:
    """The first part that begins with a keyframe: enough for a picture, and small."""
    for part in entry.parts:
        if part.independent and 0 < part.size <= SHOT_MAX:
            return data[part.offset : part.offset + part.size]
    return None

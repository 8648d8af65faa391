"""Sprite sheets of one live stream, and the WebVTT of its window. Pure, no pixels touched here."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ingest.thumbnails.vtt import Cue, payload, render

SHEET_TILES = 100
SHEET_TYPE = "image/jpeg"


@dataclass
class Sheet:
    number: int
    tile_size: tuple[int, int]
    starts_at_s: list[float] = field(default_factory=list)
    """Unix time of each tile's segment, as EXT-X-PROGRAM-DATE-TIME says it."""
    tiles: list[bytes] = field(default_factory=list)
    """JPEGs; let go of once `data` holds the whole sheet."""
    data: bytes | None = None
    closed: bool = False
    """Nothing is added to it any more."""

    @property
    def name(self) -> str:
        return f"sprite{self.number}.jpg"


class Sprites:
    """The sheets of the last `window_s` seconds.

    Tiles go into the newest sheet until it is full or a tile of another size comes.
    """

    def __init__(self, interval_s: float, window_s: float) -> None:
        self._interval_s = interval_s
        self._window_s = window_s
        self._sheets: deque[Sheet] = deque()
        self._next_number = 0
        self._rendered: bytes | None = None

    def add(self, starts_at_s: float, tile: bytes, tile_size: tuple[int, int]) -> Sheet | None:
        """Put the tile at the end; returns the sheet that it closed."""
        sheet, closed = self._open, None
        if sheet and sheet.tile_size != tile_size:
            sheet, closed = None, self.close()
        if sheet is None:
            sheet = Sheet(self._next_number, tile_size)
            self._next_number += 1
            self._sheets.append(sheet)
        sheet.starts_at_s.append(starts_at_s)
        sheet.tiles.append(tile)
        self._let_go(starts_at_s)
        self._rendered = None
        return self.close() if len(sheet.tiles) == SHEET_TILES else closed

    def close(self) -> Sheet | None:
        """Add nothing to the open sheet any more, which is returned."""
        sheet = self._open
        if sheet:
            sheet.closed = True
            self._rendered = None
        return sheet

    @property
    def _open(self) -> Sheet | None:
        return self._sheets[-1] if self._sheets and not self._sheets[-1].closed else None

    def find(self, number: int) -> Sheet | None:
        index = number - self._sheets[0].number if self._sheets else -1
        return self._sheets[index] if 0 <= index < len(self._sheets) else None

    def live_vtt(self) -> bytes:
        """Cues for the window. Their zero is the moment that the note names, to be held against program date time."""
        if self._rendered is None:
            self._rendered = self._render_live()
        return self._rendered

    def _render_live(self) -> bytes:
        shown = [
            (starts_at_s, payload(_live_name(sheet), index, sheet.tile_size))
            for sheet in self._sheets
            for index, starts_at_s in enumerate(sheet.starts_at_s)
        ]
        if not shown:
            return render([])
        zero = shown[0][0]
        starts = [start - zero for start, _ in shown]
        moment = datetime.fromtimestamp(zero, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        ends = [*starts[1:], starts[-1] + self._interval_s]
        cues = [Cue(start, end, tile) for start, end, (_, tile) in zip(starts, ends, shown, strict=True)]
        return render(cues, f"PROGRAM-DATE-TIME:{moment}")

    def _let_go(self, now_s: float) -> None:
        """Sheets of which nothing is in the window any more."""
        while len(self._sheets) > 1 and now_s - self._sheets[1].starts_at_s[0] > self._window_s:
            self._sheets.popleft()


def _live_name(sheet: Sheet) -> str:
    """A sheet that still grows has its number of tiles in the query: players and CDNs fetch it anew."""
    return sheet.name if sheet.closed else f"{sheet.name}?tiles={len(sheet.tiles)}"

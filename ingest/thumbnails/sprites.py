"""Sprite sheets of one stream, and the WebVTT that says which tile shows which time. Pure, no pixels touched here.

The cues follow what players of thumbnail tracks agree on: the payload is the sheet's URL with a spatial media fragment
(W3C Media Fragments URI 4.2.2, `#xywh=` in pixels), the URL relative to the WebVTT file's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ingest.thumbnails.drawing import COLUMNS

SHEET_TILES = 100
CUES_MAX = 50_000
"""Of one recording, about six days at ten seconds; the last one stands for what comes after."""
VTT_NAME = "thumbnails.vtt"
VTT_TYPE = "text/vtt"
SHEET_TYPE = "image/jpeg"


@dataclass(frozen=True)
class SpriteFile:
    """Something to store beside a recording, under this name."""

    name: str
    data: bytes
    content_type: str


@dataclass(frozen=True)
class Mark:
    """When a tile begins to hold, in seconds."""

    starts_at_s: float
    """Unix time of its segment, as EXT-X-PROGRAM-DATE-TIME says it."""
    media_s: float
    """Time in a recording of the whole stream."""


@dataclass
class Sheet:
    number: int
    tile_size: tuple[int, int]
    marks: list[Mark] = field(default_factory=list)
    tiles: list[bytes] = field(default_factory=list)
    """JPEGs; let go of once `data` holds the whole sheet."""
    data: bytes | None = None
    closed: bool = False
    """Nothing is added to it any more."""

    @property
    def name(self) -> str:
        return f"sprite{self.number}.jpg"

    def file(self, data: bytes) -> SpriteFile:
        return SpriteFile(self.name, data, SHEET_TYPE)

    def box(self, index: int) -> tuple[int, int, int, int]:
        """x, y, width and height of a tile, pixels."""
        row, column = divmod(index, COLUMNS)
        width, height = self.tile_size
        return column * width, row * height, width, height


class Sprites:
    """The sheets of the last `window_s` seconds for players of the live stream, and every mark for the recording's end.

    Tiles go into the newest sheet until it is full or a tile of another size comes.
    """

    def __init__(self, interval_s: float, window_s: float) -> None:
        self._interval_s = interval_s
        self._window_s = window_s
        self._sheets: deque[Sheet] = deque()
        self._next_number = 0
        self._cues: list[tuple[float, str]] = []
        """Of all the stream: when each begins in the recording, and its payload."""
        self._rendered: bytes | None = None

    def add(self, mark: Mark, tile: bytes, tile_size: tuple[int, int]) -> Sheet | None:
        """Put the tile at the end; returns the sheet that it closed."""
        sheet, closed = self._open, None
        if sheet and sheet.tile_size != tile_size:
            sheet, closed = None, self.close()
        if sheet is None:
            sheet = Sheet(self._next_number, tile_size)
            self._next_number += 1
            self._sheets.append(sheet)
        sheet.marks.append(mark)
        sheet.tiles.append(tile)
        if len(self._cues) < CUES_MAX:
            self._cues.append((mark.media_s, _payload(sheet, len(sheet.marks) - 1)))
        self._let_go(mark.starts_at_s)
        self._rendered = None
        return self.close() if len(sheet.marks) == SHEET_TILES else closed

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
            self._rendered = self._render_live().encode()
        return self._rendered

    def recording_vtt(self, duration_s: float) -> bytes:
        """Cues for all of a recording of this length, from its beginning to its end."""
        starts = [0.0, *(start for start, _ in self._cues[1:])]
        cues = zip(starts, [*starts[1:], duration_s], (payload for _, payload in self._cues), strict=False)
        return ("WEBVTT\n" + _lines(cues)).encode()

    def _render_live(self) -> str:
        shown = [
            (mark.starts_at_s, _live_payload(sheet, index))
            for sheet in self._sheets
            for index, mark in enumerate(sheet.marks)
        ]
        if not shown:
            return "WEBVTT\n"
        zero = shown[0][0]
        starts = [start - zero for start, _ in shown]
        moment = datetime.fromtimestamp(zero, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        cues = zip(starts, [*starts[1:], starts[-1] + self._interval_s], (payload for _, payload in shown), strict=True)
        return f"WEBVTT\n\nNOTE PROGRAM-DATE-TIME:{moment}\n" + _lines(cues)

    def _let_go(self, now_s: float) -> None:
        """Sheets of which nothing is in the window any more."""
        while len(self._sheets) > 1 and now_s - self._sheets[1].marks[0].starts_at_s > self._window_s:
            self._sheets.popleft()


def _payload(sheet: Sheet, index: int) -> str:
    return f"{sheet.name}#xywh={','.join(map(str, sheet.box(index)))}"


def _live_payload(sheet: Sheet, index: int) -> str:
    """A sheet that still grows has its number of tiles in the query: players and CDNs fetch it anew."""
    payload = _payload(sheet, index)
    return payload if sheet.closed else payload.replace("#", f"?tiles={len(sheet.marks)}#")


def _lines(cues: Iterable[tuple[float, float, str]]) -> str:
    """Cues that would not last are left out: a clock went back between them."""
    return "".join(f"\n{_time(start)} --> {_time(end)}\n{payload}\n" for start, end, payload in cues if end > start)


def _time(seconds: float) -> str:
    """hh:mm:ss.mmm (WebVTT 4.1)."""
    total_ms = round(seconds * 1000)
    minutes, ms = divmod(total_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{ms // 1000:02}.{ms % 1000:03}"

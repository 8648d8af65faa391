"""WebVTT that says which tile of which sheet shows which time. Pure.

The cues follow what players of thumbnail tracks agree on: the payload is the sheet's URL with a spatial media fragment
(W3C Media Fragments URI 4.2.2, `#xywh=` in pixels), the URL relative to the WebVTT file's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ingest.thumbnails.drawing import COLUMNS

VTT_NAME = "thumbnails.vtt"
VTT_TYPE = "text/vtt"


class Cue(NamedTuple):
    """Seconds, and what `payload` gives."""

    start_s: float
    end_s: float
    payload: str


def payload(sheet: str, index: int, tile_size: tuple[int, int]) -> str:
    """What names a tile: the sheet's URL, and where on it the tile of this number lies."""
    row, column = divmod(index, COLUMNS)
    width, height = tile_size
    return f"{sheet}#xywh={column * width},{row * height},{width},{height}"


def render(cues: Iterable[Cue], note: str = "") -> bytes:
    """The file. Cues that would not last are left out: a clock went back between them."""
    head = f"WEBVTT\n\nNOTE {note}\n" if note else "WEBVTT\n"
    lines = (
        f"\n{_time(cue.start_s)} --> {_time(cue.end_s)}\n{cue.payload}\n" for cue in cues if cue.end_s > cue.start_s
    )
    return (head + "".join(lines)).encode()


def _time(seconds: float) -> str:
    """hh:mm:ss.mmm (WebVTT 4.1)."""
    total_ms = round(seconds * 1000)
    minutes, ms = divmod(total_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{ms // 1000:02}.{ms % 1000:03}"

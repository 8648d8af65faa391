"""Making pictures out of media and of other pictures. CPU only; `worker` runs it in a process of its own."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import av
from PIL import Image, ImageOps

Format = Literal["JPEG", "WEBP"]

LONGEST_MAX = 1280
"""Pixels. No picture has a longer side."""
TILE_LONGEST = 160
COLUMNS = 10
_MASTER_QUALITY = 88
"""Other sizes are made from it, so it is a little better than they are."""
_QUALITY = 78
_TILE_QUALITY = 85
_SHEET_QUALITY = 70
_WEBP_EFFORT = 2
_NO_PROBING = {"skip_frame": "all"}
"""The init segment says what there is; libavformat would decode the keyframe a first time to learn it."""


class Unreadable(Exception):
    """There is no picture in it."""


@dataclass(frozen=True)
class Picture:
    """A frame as a JPEG of at most `LONGEST_MAX`, and as a tile of at most `TILE_LONGEST`; both keep its shape."""

    master: bytes
    tile: bytes
    tile_size: tuple[int, int]


def picture_of(media: bytes) -> Picture:
    """The first keyframe of an init segment and what follows it. Raises Unreadable."""
    frame, shape = _first_keyframe(media)
    shown = _within(round(frame.width * shape), frame.height, LONGEST_MAX)
    tile_size = _within(*shown, TILE_LONGEST)
    master, tile = _scaled(frame, shown), _scaled(frame, tile_size)
    return Picture(_encoded(master, "JPEG", _MASTER_QUALITY), _encoded(tile, "JPEG", _TILE_QUALITY), tile_size)


def resized(master: bytes, width: int, height: int, form: Format) -> bytes:
    """All of the asked size covered: what sticks out on two sides is cut off, as Twitch does."""
    with Image.open(io.BytesIO(master)) as image:
        image.draft("RGB", (width, height))
        return _encoded(ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC), form, _QUALITY)


def sheet_of(tiles: Sequence[bytes], tile_size: tuple[int, int]) -> bytes:
    """The tiles in rows of `COLUMNS`, as a JPEG."""
    width, height = tile_size
    rows = -(-len(tiles) // COLUMNS)
    sheet = Image.new("RGB", (width * COLUMNS, height * rows))
    for index, tile in enumerate(tiles):
        row, column = divmod(index, COLUMNS)
        with Image.open(io.BytesIO(tile)) as image:
            sheet.paste(image, (column * width, row * height))
    return _encoded(sheet, "JPEG", _SHEET_QUALITY)


def _first_keyframe(media: bytes) -> tuple[av.VideoFrame, Fraction]:
    """And the width of its pixels in terms of their height."""
    try:
        with av.open(io.BytesIO(media), "r", format="mp4", options=_NO_PROBING) as container:
            if not container.streams.video:
                raise Unreadable("no video track")
            video = container.streams.video[0]
            # One picture needs no threads, and frame threads would hold it back.
            video.codec_context.thread_count = 1
            video.codec_context.skip_frame = "NONKEY"
            for frame in container.decode(video):
                return frame, video.codec_context.sample_aspect_ratio or Fraction(1)
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise Unreadable(str(error)) from error
    raise Unreadable("no keyframe")


def _scaled(frame: av.VideoFrame, size: tuple[int, int]) -> Image.Image:
    # Averaging is both the cheapest and the cleanest way down.
    width, height = size
    image: Image.Image = frame.to_image(width=width, height=height, interpolation="AREA")  # type: ignore[no-untyped-call]
    return image


def _within(width: int, height: int, longest: int) -> tuple[int, int]:
    """The size, scaled down to fit if it does not."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _encoded(image: Image.Image, form: Format, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, form, quality=quality, **({"method": _WEBP_EFFORT} if form == "WEBP" else {}))
    return file.getvalue()

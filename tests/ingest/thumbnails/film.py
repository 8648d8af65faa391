"""Real encodes of pictures with known colours, as segments; and drawing without a process of its own."""

from __future__ import annotations

import asyncio
import io
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream
from PIL import Image

from ingest.hls.entries import PartEntry, Rendition, SegmentEntry
from ingest.hls.sink import SegmentSink
from ingest.thumbnails.drawing import Format, Picture, picture_of, resized, sheet_of
from ingest.thumbnails.sprites import Sheet

NOW_S = 1_790_000_000.0
Colour = tuple[int, int, int]
RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 180, 40), (30, 40, 200), (235, 235, 235)


@lru_cache
def film(
    colours: tuple[Colour, ...] = (RED, GREEN, BLUE, WHITE),
    size: tuple[int, int] = (320, 180),
    *,
    codec: str = "libx264",
    bt709: bool = False,
    aspect: Fraction = Fraction(1),
) -> tuple[bytes, bytes]:
    """The init segment and one fragment of a still picture: one colour, or one for each quarter."""
    file = io.BytesIO()
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    with av.open(file, "w", format="mp4", options=options) as container:
        preset = "10" if codec == "libsvtav1" else "veryfast"
        stream = container.add_stream(codec, rate=10, options={"preset": preset, "x265-params": "log-level=none"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        space = Colorspace.ITU709 if bt709 else Colorspace.ITU601
        stream.codec_context.colorspace = space
        still = av.VideoFrame.from_ndarray(_quarters(colours, size), format="rgb24")
        for index in range(5):
            frame = still.reformat(format="yuv420p", dst_colorspace=space)
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return _split(file.getvalue())


@dataclass
class Reel:
    """Feeds a sink with segments of two seconds, each with an init segment of its own if the picture changed."""

    sink: SegmentSink
    segment_s: float = 2.0
    number: int = 0
    init_number: int = -1
    init: bytes = b""

    def show(self, colour: Colour = RED, size: tuple[int, int] = (320, 180), segments: int = 1) -> None:
        init, fragment = film((colour,), size)
        self.roll(init, fragment, size, segments)

    def roll(self, init: bytes, data: bytes, size: tuple[int, int] = (320, 180), segments: int = 1) -> None:
        if init != self.init:
            self.init, self.init_number = init, self.init_number + 1
            rendition = Rendition(name="source", codecs="avc1.64001f", width=size[0], height=size[1])
            self.sink.begin(rendition, self.init_number, init)
        for _ in range(segments):
            self.sink.segment("source", entry_of(self, data), data)
            self.number += 1


def entry_of(reel: Reel, data: bytes, *, independent: bool = True) -> SegmentEntry:
    return SegmentEntry(
        number=reel.number,
        init=reel.init_number,
        new_init=False,
        discontinuities=0,
        discontinuity=False,
        starts_at_s=NOW_S + reel.number * reel.segment_s,
        media_s=reel.number * reel.segment_s,
        duration_s=reel.segment_s,
        size=len(data),
        parts=(PartEntry(reel.segment_s, independent, 0, len(data)),),
    )


@dataclass
class Kept:
    """A Keeper that holds what it was given."""

    covers: list[bytes] = field(default_factory=list)
    sheets: list[tuple[Sheet, bytes]] = field(default_factory=list)
    over: bool = False

    def cover(self, picture: bytes) -> None:
        self.covers.append(picture)

    def sheet(self, sheet: Sheet, data: bytes) -> None:
        assert not self.over
        self.sheets.append((sheet, data))

    def done(self) -> None:
        self.over = True


class Here:
    """Draws at once, in this process."""

    async def picture(self, media: bytes) -> Picture:
        return picture_of(media)

    async def resized(self, master: bytes, width: int, height: int, form: Format) -> bytes:
        return resized(master, width, height, form)

    async def sheet(self, tiles: list[bytes], tile_size: tuple[int, int]) -> bytes:
        return sheet_of(tiles, tile_size)


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.001)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def is_coloured(image: Image.Image, place: tuple[float, float], colour: Colour, tolerance: int = 12) -> bool:
    """Whether the picture has the colour at a place in shares of its width and height."""
    seen = image.convert("RGB").getpixel((int(place[0] * image.width), int(place[1] * image.height)))
    assert isinstance(seen, tuple)
    return all(abs(a - b) <= tolerance for a, b in zip(seen, colour, strict=True))


def _quarters(
    colours: tuple[Colour, ...], size: tuple[int, int]
) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    width, height = size
    picture = np.empty((height, width, 3), np.uint8)
    for index in range(4):
        row, column = divmod(index, 2)
        rows = slice(row * height // 2, (row + 1) * height // 2)
        picture[rows, slice(column * width // 2, (column + 1) * width // 2)] = colours[index % len(colours)]
    return picture


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Before and from the first `moof`."""
    at = 0
    while data[at + 4 : at + 8] != b"moof":
        at += struct.unpack_from(">I", data, at)[0]
    return data[:at], data[at:]

"""What waits to be drawn, what harms nobody, and what a recording gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ingest.hls.sink import SegmentSink
from ingest.thumbnails.drawing import Picture
from ingest.thumbnails.gallery import PENDING_MAX, Gallery
from ingest.thumbnails.sprites import SpriteFile
from tests.ingest.thumbnails.film import (
    BLUE,
    GREEN,
    RED,
    Colour,
    Here,
    Reel,
    film,
    is_coloured,
    opened,
    until,
)  # fmt: skip
from tests.ingest.thumbnails.test_sprites import read_vtt


class Slow(Here):
    """Draws when it is let."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.asked = 0

    async def picture(self, media: bytes) -> Picture:
        self.asked += 1
        await self.may.wait()
        return await super().picture(media)


class Desk:
    """A gallery that runs, and what it said."""

    def __init__(self, drawing: Here) -> None:
        self.announced: list[str] = []
        self.gallery = Gallery(drawing, interval_s=10, window_s=7200, announce=self.announced.append, linger_s=0.0)
        self.running = asyncio.create_task(self.gallery.run())

    def reel(self, stream_id: str = "stream", kept: list[SpriteFile] | None = None, segment_s: float = 2.0) -> Reel:
        return Reel(self.gallery.open(stream_id, kept.append if kept is not None else None), segment_s)

    def pictures(self, stream_id: str = "stream") -> int:
        album = self.gallery.find(stream_id)
        return album.pictures if album else 0

    async def drew(self, count: int, stream_id: str = "stream") -> None:
        """So many pictures of the stream are there."""
        await until(lambda: self.pictures(stream_id) == count)

    def latest_is(self, colour: Colour, stream_id: str = "stream") -> bool:
        album = self.gallery.find(stream_id)
        return bool(album and album.latest and is_coloured(opened(album.latest), (0.5, 0.5), colour))

    async def close(self) -> None:
        self.running.cancel()
        await asyncio.wait([self.running])


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk(Here())
    yield desk
    await desk.close()


@pytest.fixture
async def slow_desk() -> AsyncIterator[tuple[Desk, Slow]]:
    slow = Slow()
    desk = Desk(slow)
    yield desk, slow
    await desk.close()


async def test_the_first_picture_is_announced_once(desk: Desk) -> None:
    reel = desk.reel()
    for number in range(3):
        reel.show(segments=5)
        await desk.drew(number + 1)
    assert desk.announced == ["stream"]


async def test_a_broken_segment_harms_neither_its_stream_nor_others(desk: Desk) -> None:
    broken, good = desk.reel("broken"), desk.reel("good")
    init, data = film((RED,))
    broken.roll(init, data[:100] + bytes(500))
    good.show(GREEN)
    await desk.drew(1, "good")
    assert desk.pictures("broken") == 0
    broken.roll(init, data, segments=5)
    await desk.drew(1, "broken")
    assert desk.latest_is(RED, "broken")


async def test_a_codec_or_size_change_goes_on_with_the_new_init_segment(desk: Desk) -> None:
    reel = desk.reel()
    reel.show(RED, segments=5)
    await desk.drew(1)
    reel.show(BLUE, size=(180, 320))
    await desk.drew(2)
    assert desk.latest_is(BLUE)


async def test_a_stream_has_one_picture_waiting_and_it_is_the_newest(slow_desk: tuple[Desk, Slow]) -> None:
    desk, slow = slow_desk
    hold = desk.reel("holds the pen")
    hold.show()
    await until(lambda: slow.asked == 1)
    reel = desk.reel()
    for colour in (RED, GREEN, BLUE):
        reel.show(colour, segments=5)
    slow.may.set()
    await desk.drew(1)
    assert desk.latest_is(BLUE)
    assert slow.asked == 2


async def test_the_queue_is_bounded_and_the_oldest_is_dropped(slow_desk: tuple[Desk, Slow]) -> None:
    desk, slow = slow_desk
    streams = [f"stream-{index}" for index in range(PENDING_MAX + 4)]
    for stream_id in streams:
        desk.reel(stream_id).show()
    slow.may.set()
    await desk.drew(1, streams[-1])
    assert [stream_id for stream_id in streams if not desk.pictures(stream_id)] == streams[:4]


async def test_a_recording_gets_each_sheet_once_and_at_the_end_the_rest(desk: Desk) -> None:
    kept: list[SpriteFile] = []
    reel = desk.reel(kept=kept, segment_s=10.0)
    colours = [RED, GREEN, BLUE]
    for index in range(103):
        reel.show(colours[index % 3])
        await desk.drew(index + 1)
    await until(lambda: len(kept) == 1)
    reel.sink.finish()
    await until(lambda: len(kept) == 4)
    assert [(file.name, file.content_type) for file in kept] == [
        ("sprite0.jpg", "image/jpeg"),
        ("sprite1.jpg", "image/jpeg"),
        ("thumbnails.vtt", "text/vtt"),
        ("thumbnail.jpg", "image/jpeg"),
    ]
    sheets = {file.name: opened(file.data) for file in kept[:2]}
    _, cues = read_vtt(kept[2].data)
    assert cues[-1].end_s == 1030
    for index, cue in enumerate(cues):
        x, y, width, height = cue.box
        tile = sheets[cue.url].crop((x, y, x + width, y + height))
        assert tile.size == (160, 90)
        assert is_coloured(tile, (0.5, 0.5), colours[index % 3])


async def test_the_last_picture_is_drawn_before_the_end(slow_desk: tuple[Desk, Slow]) -> None:
    desk, slow = slow_desk
    kept: list[SpriteFile] = []
    desk.reel("holds the pen").show()
    await until(lambda: slow.asked == 1)
    reel = desk.reel(kept=kept)
    reel.show()
    reel.sink.finish()
    slow.may.set()
    await until(lambda: len(kept) == 3)


async def test_a_stream_without_pictures_leaves_nothing(desk: Desk) -> None:
    kept: list[SpriteFile] = []
    desk.reel(kept=kept).sink.finish()
    await until(lambda: desk.gallery.find("stream") is None)
    assert kept == []


async def test_pictures_go_with_their_stream_and_not_with_its_successor(desk: Desk) -> None:
    first: SegmentSink = desk.gallery.open("stream")
    desk.gallery.open("stream")
    first.finish()
    desk.gallery.open("other").finish()
    await until(lambda: desk.gallery.find("other") is None)
    assert desk.gallery.find("stream") is not None

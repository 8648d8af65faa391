"""What waits to be drawn, what harms nobody, and what a recording gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ingest.hls.sink import SegmentSink
from ingest.thumbnails.drawing import Picture
from ingest.thumbnails.gallery import PENDING_MAX, Gallery
from tests.ingest.thumbnails.film import (
    BLUE,
    GREEN,
    NOW_S,
    RED,
    Colour,
    Here,
    Kept,
    Reel,
    film,
    is_coloured,
    opened,
    until,
)  # fmt: skip


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

    def reel(self, stream_id: str = "stream", kept: Kept | None = None, segment_s: float = 2.0) -> Reel:
        return Reel(self.gallery.open(stream_id, kept), segment_s)

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
    kept = Kept()
    reel = desk.reel(kept=kept, segment_s=10.0)
    colours = [RED, GREEN, BLUE]
    for index in range(103):
        reel.show(colours[index % 3])
        await desk.drew(index + 1)
    await until(lambda: len(kept.sheets) == 1)
    assert not kept.over
    reel.sink.finish()
    await until(lambda: kept.over)
    assert [len(sheet.starts_at_s) for sheet, _ in kept.sheets] == [100, 3]
    index = 0
    for sheet, data in kept.sheets:
        picture = opened(data)
        for place, starts_at_s in enumerate(sheet.starts_at_s):
            assert starts_at_s == NOW_S + 10 * index
            column, row = place % 10, place // 10
            tile = picture.crop((column * 160, row * 90, column * 160 + 160, row * 90 + 90))
            assert is_coloured(tile, (0.5, 0.5), colours[index % 3])
            index += 1


async def test_the_first_picture_is_a_recordings_cover(desk: Desk) -> None:
    kept = Kept()
    reel = desk.reel(kept=kept)
    for count, colour in enumerate((GREEN, RED, BLUE), 1):
        reel.show(colour, segments=5)
        await desk.drew(count)
    assert len(kept.covers) == 1
    assert is_coloured(opened(kept.covers[0]), (0.5, 0.5), GREEN)


async def test_the_last_picture_is_drawn_before_the_end(slow_desk: tuple[Desk, Slow]) -> None:
    desk, slow = slow_desk
    kept = Kept()
    desk.reel("holds the pen").show()
    await until(lambda: slow.asked == 1)
    reel = desk.reel(kept=kept)
    reel.show()
    reel.sink.finish()
    slow.may.set()
    await until(lambda: kept.over)
    assert (len(kept.covers), len(kept.sheets)) == (1, 1)


async def test_the_end_is_said_also_when_the_last_sheet_cannot_be_drawn() -> None:
    class Clumsy(Here):
        async def sheet(self, tiles: list[bytes], tile_size: tuple[int, int]) -> bytes:
            raise RuntimeError("dropped it")

    desk, kept = Desk(Clumsy()), Kept()
    reel = desk.reel(kept=kept)
    reel.show()
    await desk.drew(1)
    reel.sink.finish()
    await until(lambda: kept.over)
    await desk.close()
    assert kept.sheets == []


async def test_a_stream_without_pictures_leaves_nothing_but_its_end(desk: Desk) -> None:
    kept = Kept()
    desk.reel(kept=kept).sink.finish()
    await until(lambda: desk.gallery.find("stream") is None)
    assert kept == Kept(over=True)


async def test_pictures_go_with_their_stream_and_not_with_its_successor(desk: Desk) -> None:
    first: SegmentSink = desk.gallery.open("stream")
    desk.gallery.open("stream")
    first.finish()
    desk.gallery.open("other").finish()
    await until(lambda: desk.gallery.find("other") is None)
    assert desk.gallery.find("stream") is not None

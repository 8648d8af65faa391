"""The drawing process: what it draws, and what happens when it dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psutil
import pytest
import uvloop

from ingest.thumbnails.artist import Artist
from ingest.thumbnails.drawing import Unreadable, picture_of, resized, sheet_of
from tests.ingest.thumbnails.film import film


@pytest.fixture
async def artist() -> AsyncIterator[Artist]:
    artist = Artist()
    yield artist
    await artist.close()


def drawing_processes() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "ingest.thumbnails.worker" in child.cmdline()]


MEDIA = b"".join(film())


async def test_it_draws_what_the_functions_draw(artist: Artist) -> None:
    picture = await artist.picture(MEDIA)
    assert picture == picture_of(MEDIA)
    assert await artist.resized(picture.master, 80, 60, "WEBP") == resized(picture.master, 80, 60, "WEBP")
    assert await artist.sheet([picture.tile] * 3, (160, 90)) == sheet_of([picture.tile] * 3, (160, 90))


async def test_broken_media_harms_nobody_after_it(artist: Artist) -> None:
    with pytest.raises(Unreadable):
        await artist.picture(b"no media at all")
    (before,) = drawing_processes()
    assert (await artist.picture(MEDIA)).tile_size == (160, 90)
    assert drawing_processes() == [before], "the process lives on"


async def test_many_at_a_time_are_drawn_by_one_process(artist: Artist) -> None:
    drawn = await asyncio.gather(*(artist.picture(MEDIA) for _ in range(8)))
    assert len({picture.tile for picture in drawn}) == 1
    assert len(drawing_processes()) == 1


async def test_a_killed_process_is_followed_by_another(artist: Artist) -> None:
    await artist.picture(MEDIA)
    (process,) = drawing_processes()
    process.kill()
    with pytest.raises(Unreadable):
        await artist.picture(MEDIA)
    assert (await artist.picture(MEDIA)).tile_size == (160, 90)


def test_a_process_that_was_killed_long_before_is_followed_by_another_too() -> None:
    async def draw() -> None:
        artist = Artist()
        await artist.picture(MEDIA)
        (process,) = drawing_processes()
        process.kill()
        while psutil.pid_exists(process.pid):  # noqa: ASYNC110  # nothing tells that it is gone
            await asyncio.sleep(0.01)
        with pytest.raises(Unreadable):
            await artist.picture(MEDIA)
        assert (await artist.picture(MEDIA)).tile_size == (160, 90)
        await artist.close()

    uvloop.run(draw())  # as ingest does: what it has closed cannot be written to


async def test_a_drawing_that_hangs_is_given_up() -> None:
    artist = Artist(drawing_s=0.001)
    with pytest.raises(Unreadable, match="TimeoutError"):
        await artist.picture(MEDIA)
    assert not drawing_processes()


async def test_who_stops_waiting_spoils_no_answer(artist: Artist) -> None:
    await artist.picture(MEDIA)
    leaving = asyncio.create_task(artist.picture(MEDIA))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert leaving.cancelled()
    assert await artist.picture(MEDIA) == picture_of(MEDIA)

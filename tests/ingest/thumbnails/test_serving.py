"""Thumbnails and sprites over HTTP, at the origin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from ingest.hls.live_edge import LiveEdge
from ingest.hls.origin import create_origin
from ingest.hls.registry import Registry
from ingest.thumbnails.drawing import Format
from ingest.thumbnails.gallery import Gallery
from ingest.thumbnails.printing import Printing
from ingest.thumbnails.prints import Prints
from ingest.thumbnails.serving import Thumbnails, thumbnail_routes
from ingest.thumbnails.studio import running_studio
from tests.ingest.thumbnails.film import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    Here,
    Reel,
    film,
    is_coloured,
    opened,
    until,
)  # fmt: skip
from tests.ingest.thumbnails.test_sprites import read_vtt

BASE = "/live/stream"


class Counting(Here):
    """Counts the sizes it draws, and waits with them when told to."""

    def __init__(self) -> None:
        self.drawn = 0
        self.may = asyncio.Event()
        self.may.set()

    async def resized(self, master: bytes, width: int, height: int, form: Format) -> bytes:
        self.drawn += 1
        await self.may.wait()
        return await super().resized(master, width, height, form)


class Site:
    """An origin with one stream's album."""

    def __init__(self, directory: Path) -> None:
        self.drawing = Counting()
        self.gallery = Gallery(self.drawing, interval_s=10, window_s=7200, announce=lambda stream_id: None)
        self.running = asyncio.create_task(self.gallery.run())
        printing = Printing(self.drawing, Prints(bytes_max=100_000, making_max=3))
        routes = thumbnail_routes(Thumbnails(self.gallery, printing))
        transport = httpx.ASGITransport(create_origin(LiveEdge(Registry(directory)), beside=routes))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://origin")
        self.reel = Reel(self.gallery.open("stream"), segment_s=10.0)

    async def get(self, name: str) -> httpx.Response:
        return await self.client.get(f"{BASE}/{name}")

    async def show(self, init: bytes, data: bytes) -> None:
        album = self.gallery.find("stream")
        assert album
        before = album.pictures
        self.reel.roll(init, data)
        await until(lambda: album.pictures == before + 1)


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    yield site
    site.running.cancel()
    await asyncio.wait([site.running])
    await site.client.aclose()


@pytest.fixture
async def site(empty: Site) -> Site:
    await empty.show(*film())
    return empty


@pytest.mark.parametrize(("ending", "form"), [("jpg", "JPEG"), ("webp", "WEBP")])
async def test_a_thumbnail_has_the_size_and_form_that_is_asked_for(site: Site, ending: str, form: str) -> None:
    answer = await site.get(f"thumbnail-440x248.{ending}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, f"image/{form.lower()}")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=5"
    image = opened(answer.content)
    assert (image.format, image.size) == (form, (440, 248))
    for place, colour in (((0.1, 0.1), RED), ((0.9, 0.1), GREEN), ((0.1, 0.9), BLUE), ((0.9, 0.9), WHITE)):
        assert is_coloured(image, place, colour)


@pytest.mark.parametrize(("asked", "given"), [("1920x1080", (1280, 720)), ("99999x1", (1280, 40)), ("2x2", (40, 40))])
async def test_sizes_are_limited(site: Site, asked: str, given: tuple[int, int]) -> None:
    assert opened((await site.get(f"thumbnail-{asked}.jpg")).content).size == given


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("thumbnail-0x180.jpg", 400), ("thumbnail-{width}x{height}.jpg", 404), ("thumbnail-320x180.png", 404),
        ("thumbnail-320.jpg", 404), ("thumbnail--1x180.jpg", 404), ("thumbnail-999999x1.jpg", 404),
        ("thumbnail-٣x٣.jpg", 404), ("thumbnail-320x180.jpg%00", 404), ("thumbnail-..%2f320x180.jpg", 404),
        ("sprite1.jpg", 404), ("sprite-1.jpg", 404), ("sprite٣.jpg", 404), ("sprite9999999999.jpg", 404),
    ],
)  # fmt: skip
async def test_what_is_no_size_or_sheet_is_refused_with_a_reason(site: Site, name: str, status: int) -> None:
    answer = await site.get(name)
    assert answer.status_code == status
    assert answer.text
    assert answer.headers["cache-control"] == "public, max-age=1"


@pytest.mark.parametrize("name", ["thumbnail-320x180.jpg", "thumbnails.vtt", "sprite0.jpg"])
async def test_before_the_first_picture_nothing_is_found(empty: Site, name: str) -> None:
    assert (await empty.get(name)).status_code == 404
    assert (await empty.client.get(f"/live/unknown/{name}")).status_code == 404


async def test_other_sites_may_ask(site: Site) -> None:
    answer = await site.client.options(f"{BASE}/thumbnails.vtt")
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")


async def test_a_size_is_drawn_once_a_picture_however_many_ask(site: Site) -> None:
    answers = await asyncio.gather(*(site.get("thumbnail-320x180.jpg") for _ in range(20)))
    assert len({answer.content for answer in answers}) == 1
    assert (await site.get("thumbnail-319x179.jpg")).content == answers[0].content
    assert site.drawing.drawn == 1
    await site.show(*film((BLUE,)))
    assert is_coloured(opened((await site.get("thumbnail-320x180.jpg")).content), (0.1, 0.1), BLUE)
    assert site.drawing.drawn == 2


async def test_too_many_sizes_at_a_time_are_refused_for_now(site: Site) -> None:
    site.drawing.may.clear()
    waiting = [asyncio.create_task(site.get(f"thumbnail-{width}x180.jpg")) for width in (160, 320, 640)]
    await until(lambda: site.drawing.drawn == 3)
    refused = await site.get("thumbnail-1280x720.jpg")
    assert (refused.status_code, refused.headers["cache-control"]) == (503, "no-store")
    assert refused.headers["retry-after"] == "1"
    site.drawing.may.set()
    assert [(await each).status_code for each in waiting] == [200] * 3
    assert (await site.get("thumbnail-1280x720.jpg")).status_code == 200


async def test_who_leaves_does_not_take_the_picture_from_others(site: Site) -> None:
    site.drawing.may.clear()
    first = asyncio.create_task(site.get("thumbnail-320x180.jpg"))
    await until(lambda: site.drawing.drawn == 1)
    second = asyncio.create_task(site.get("thumbnail-320x180.jpg"))
    first.cancel()
    await asyncio.wait([first])
    site.drawing.may.set()
    assert (await second).status_code == 200
    assert site.drawing.drawn == 1


async def test_what_is_kept_is_limited_in_bytes() -> None:
    prints = Prints(bytes_max=1000)
    made: list[int] = []

    async def make(key: int, size: int) -> bytes:
        made.append(key)
        return bytes(size)

    for key in (1, 2, 3, 1, 3):
        await prints.get(key, partial(make, key, 400))
    for _ in range(2):
        assert len(await prints.get(9, partial(make, 9, 2000))) == 2000
    assert made == [1, 2, 3, 1, 9, 9]


async def test_live_sprites_show_what_the_cues_say(site: Site) -> None:
    colours = (GREEN, BLUE)
    for colour in colours:
        await site.show(*film((colour,)))
    answer = await site.get("thumbnails.vtt")
    assert answer.headers["content-type"].startswith("text/vtt")
    assert answer.headers["cache-control"] == "public, max-age=5"
    _, cues = read_vtt(answer.content)
    assert [(cue.start_s, cue.end_s) for cue in cues] == [(0, 10), (10, 20), (20, 30)]
    sheet = await site.get(cues[1].url)
    assert sheet.headers["cache-control"] == "public, max-age=5", "it grows"
    for cue, colour in zip(cues[1:], colours, strict=True):
        x, y, width, height = cue.box
        assert is_coloured(opened(sheet.content).crop((x, y, x + width, y + height)), (0.5, 0.5), colour)


async def test_a_closed_sheet_may_be_kept_forever(site: Site) -> None:
    await site.show(*film((GREEN,), (180, 320)))
    _, cues = read_vtt((await site.get("thumbnails.vtt")).content)
    assert [cue.url for cue in cues] == ["sprite0.jpg", "sprite1.jpg?tiles=1"]
    assert "immutable" in (await site.get("sprite0.jpg")).headers["cache-control"]
    assert opened((await site.get("sprite1.jpg?tiles=1")).content).size == (900, 160)


async def test_a_studio_draws_and_serves(tmp_path: Path) -> None:
    announced: list[str] = []
    async with running_studio(10.0, 7200.0, announced.append) as studio:
        Reel(studio.gallery.open("stream")).show(GREEN)
        await until(lambda: announced == ["stream"])
        transport = httpx.ASGITransport(create_origin(LiveEdge(Registry(tmp_path)), beside=studio.routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
            answer = await client.get(f"{BASE}/thumbnail-320x180.webp")
    assert is_coloured(opened(answer.content), (0.5, 0.5), GREEN)

"""Recordings over HTTP, out of any store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from ingest.recording.shipping import put
from ingest.storage.contract import Blob, StoreAway
from ingest.storage.local import LocalStore
from ingest.thumbnails.drawing import picture_of
from tests.ingest.recording.workshop import routes_of
from tests.ingest.thumbnails.film import GREEN, film, is_coloured, opened

SEGMENT = "/vod/stream/source/segment0.m4s"


class Away(LocalStore):
    async def get(self, key: str, first: int = 0, last: int | None = None) -> Blob | None:
        raise StoreAway("unplugged")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    store = LocalStore(tmp_path)
    await put(store, "stream/index.m3u8", b"#EXTM3U\n")
    await put(store, "stream/manifest.json", b"{}")
    await put(store, "stream/source/segment0.m4s", b"0123456789")
    picture = picture_of(b"".join(film((GREEN,)))).master
    for home in ("stream", "private/stream"):
        await put(store, f"{home}/thumbnails/cover.jpg", picture)
    await store.put("top.m4s", b"x", "video/mp4", "")
    await store.put("stream/secret.txt", b"x", "text/plain", "")
    async with over_http(store) as client:
        yield client


def over_http(store: LocalStore) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Starlette(routes=routes_of(store)))
    return httpx.AsyncClient(transport=transport, base_url="http://origin")


async def test_media_may_be_kept_forever_and_playlists_for_an_hour(client: httpx.AsyncClient) -> None:
    media, playlist = await client.get(SEGMENT), await client.get("/vod/stream/index.m3u8")
    assert (media.content, media.headers["content-type"]) == (b"0123456789", "video/mp4")
    assert media.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert playlist.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert playlist.headers["cache-control"] == "public, max-age=3600"
    assert (await client.get("/vod/stream/manifest.json")).json() == {}


async def test_any_site_may_play(client: httpx.AsyncClient) -> None:
    assert (await client.get(SEGMENT)).headers["access-control-allow-origin"] == "*"
    asked = await client.options(SEGMENT)
    assert (asked.status_code, asked.headers["access-control-allow-methods"]) == (204, "GET, HEAD")


async def test_head_tells_the_size(client: httpx.AsyncClient) -> None:
    head = await client.head(SEGMENT)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "10", b"")


@pytest.mark.parametrize(
    ("asked", "content", "told"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
async def test_a_range_is_answered_with_itself(
    client: httpx.AsyncClient, asked: str, content: bytes, told: str
) -> None:
    answer = await client.get(SEGMENT, headers={"Range": asked})
    assert (answer.status_code, answer.content, answer.headers["content-range"]) == (206, content, told)


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "bytes=-3", "bytes=5-2", "lines=1-2", "bytes=x"])
async def test_a_range_that_is_not_one_gets_everything(client: httpx.AsyncClient, asked: str) -> None:
    answer = await client.get(SEGMENT, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, b"0123456789")


async def test_a_range_past_the_end_is_refused_with_the_size(client: httpx.AsyncClient) -> None:
    answer = await client.get(SEGMENT, headers={"Range": "bytes=10-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */10")


@pytest.mark.parametrize(("name", "form"), [("thumbnail-320x180.jpg", "JPEG"), ("thumbnail-80x60.webp", "WEBP")])
async def test_a_recordings_picture_is_given_in_the_size_that_is_asked_for(
    client: httpx.AsyncClient, name: str, form: str
) -> None:
    for home in ("stream", "private/stream"):
        answer = await client.get(f"/vod/{home}/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, f"image/{form.lower()}")
        assert answer.headers["cache-control"] == "public, max-age=3600"
        image = opened(answer.content)
        assert image.format == form
        assert f"-{image.width}x{image.height}." in name
        assert is_coloured(image, (0.5, 0.5), GREEN)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("stream/thumbnail-0x180.jpg", 400),
        ("stream/thumbnail-big.jpg", 404),
        ("other/thumbnail-320x180.jpg", 404),
        ("../stream/thumbnail-320x180.jpg", 404),
        ("stream/.hidden/thumbnail-320x180.jpg", 404),
    ],
)
async def test_a_picture_that_is_not_there_or_of_no_size_is_refused(
    client: httpx.AsyncClient, name: str, status: int
) -> None:
    assert (await client.get(f"/vod/{name}")).status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "/vod/stream/source/segment1.m4s",
        "/vod/other/index.m3u8",
        "/vod/stream",
        "/vod/stream/secret.txt",
        "/vod/top.m4s",
        "/vod/stream/..%2f..%2fetc/passwd.json",
        "/vod/%2e%2e/x.m4s",
        "/vod//etc/x.json",
        "/vod/stream/.hidden.m4s",
        "/vod/stream/%00.m4s",
        f"/vod/stream/{'x' * 1000}.m4s",
    ],
)
async def test_what_is_not_there_or_none_of_ours_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_a_store_that_is_away_is_said_and_not_cached(tmp_path: Path) -> None:
    async with over_http(Away(tmp_path)) as client:
        for path in (SEGMENT, "/vod/stream/thumbnail-320x180.jpg"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
            assert answer.headers["retry-after"] == "5"

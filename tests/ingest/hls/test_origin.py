"""The origin over HTTP: what blocks, what is refused, what a CDN may keep."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from ingest.hls.gate import PrivateStreams
from ingest.hls.live_edge import LiveEdge
from ingest.hls.live_http import live_http
from ingest.hls.origin import create_origin
from ingest.hls.registry import Registry
from tests.ingest.hls.check.serving import connections_taken
from tests.ingest.hls.stage import Stage

BASE = "/live/stream"
SOURCE = f"{BASE}/source"
MEDIA = f"{SOURCE}/media.m3u8"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


@pytest.fixture
def stream(registry: Registry) -> Stage:
    """Two closed segments of ten parts and an open one of three."""
    stage = Stage(registry.open("stream"), ["source", "audio"])
    stage.add_parts(10, close=True)
    stage.add_parts(10, close=True)
    stage.add_parts(3)
    return stage


class Player(httpx.AsyncClient):
    """A client of an origin whose waiting requests it can see."""

    def __init__(self, edge: LiveEdge, transport: httpx.AsyncBaseTransport | None, url: str) -> None:
        super().__init__(transport=transport, base_url=url, timeout=30)
        self.edge = edge

    async def hold(self, url: str) -> asyncio.Task[httpx.Response]:
        """A request that is known to wait."""
        waiting = self.edge.held.count + 1
        task = asyncio.create_task(self.get(url))
        await self.until_held(waiting)
        return task

    async def until_held(self, count: int) -> None:
        async with asyncio.timeout(20):
            while self.edge.held.count != count:  # noqa: ASYNC110  # the origin tells nobody
                await asyncio.sleep(0.001)


@pytest.fixture(params=["the app", "over HTTP"])
async def client(registry: Registry, request: pytest.FixtureRequest) -> AsyncIterator[Player]:
    """Of the app by itself, and of the whole as `ingest` serves it, where most requests do not come to the app."""
    edge = LiveEdge(registry, held_max=3)
    if request.param == "the app":
        async with Player(edge, httpx.ASGITransport(create_origin(edge)), "http://origin") as player:
            yield player
    else:
        http = live_http(edge, PrivateStreams(lambda _: True))
        async with (
            connections_taken(create_origin(edge), http) as (port, _),
            Player(edge, None, f"http://127.0.0.1:{port}") as player,
        ):
            yield player


async def test_the_multivariant_playlist_leads_to_everything(client: Player, stream: Stage) -> None:
    index = await client.get(f"{BASE}/index.m3u8")
    assert index.headers["content-type"] == "application/vnd.apple.mpegurl"
    variants = [line for line in index.text.splitlines() if not line.startswith("#")]
    assert variants == ["source/media.m3u8", "audio/media.m3u8"]
    assert 'URI="audio/media.m3u8"' in index.text
    for rendition in ("source", "audio"):
        media = await client.get(f"{BASE}/{rendition}/media.m3u8")
        lines = media.text.splitlines()
        names = [line.split('URI="')[1].split('"')[0] for line in lines if 'URI="' in line and "REPORT" not in line]
        names += [line for line in lines if line.endswith(".m4s")]
        assert len(names) == 1 + 23 + 1 + 2
        for name in set(names) - {"part2.3.m4s"}:
            assert (await client.get(f"{BASE}/{rendition}/{name}")).status_code == 200


async def test_media_may_be_kept_forever_and_playlists_briefly(client: Player, stream: Stage) -> None:
    for name in ("init0.mp4", "segment0.m4s", "part1.4.m4s", "part2.0.m4s"):
        assert "immutable" in (await client.get(f"{SOURCE}/{name}")).headers["cache-control"]
    assert (await client.get(MEDIA)).headers["cache-control"] == "public, max-age=1"
    assert (await client.get(f"{MEDIA}?_HLS_msn=1")).headers["cache-control"] == "public, max-age=24"
    missing = await client.get(f"{SOURCE}/segment9.m4s")
    assert (missing.status_code, missing.headers["cache-control"]) == (404, "public, max-age=1")


async def test_a_reload_blocks_until_the_part_is_there(client: Player, stream: Stage) -> None:
    request = await client.hold(f"{MEDIA}?_HLS_msn=2&_HLS_part=3")
    stream.add_parts(1)
    response = await request
    assert response.status_code == 200
    assert 'URI="part2.3.m4s"' in response.text
    assert 'PRELOAD-HINT:TYPE=PART,URI="part2.4.m4s"' in response.text


async def test_a_reload_without_a_part_blocks_until_the_segment_is_whole(client: Player, stream: Stage) -> None:
    request = await client.hold(f"{MEDIA}?_HLS_msn=2")
    stream.add_parts(2)
    await asyncio.sleep(0)
    assert client.edge.held.count == 1
    assert not request.done()
    stream.add_parts(5, close=True)
    assert "segment2.m4s" in (await request).text


async def test_a_part_past_a_segments_last_stands_for_the_next_segments_first(client: Player, stream: Stage) -> None:
    assert (await client.get(f"{MEDIA}?_HLS_msn=1&_HLS_part=10")).status_code == 200
    request = await client.hold(f"{MEDIA}?_HLS_msn=2&_HLS_part=7")
    stream.add_parts(1, close=True)
    await asyncio.sleep(0)
    assert client.edge.held.count == 1
    assert not request.done()
    stream.add_parts(1)
    assert 'URI="part3.0.m4s"' in (await request).text


async def test_parts_of_a_closed_segment_are_never_too_far_ahead(client: Player, stream: Stage) -> None:
    """However many it has: a player that is a segment behind may ask for its last one, or for the one past it."""
    stream.add_parts(19, close=True)
    stream.add_parts(1)
    for index in (21, 22):
        assert (await client.get(f"{MEDIA}?_HLS_msn=2&_HLS_part={index}")).status_code == 200


async def test_the_hinted_part_blocks_and_then_arrives(client: Player, stream: Stage) -> None:
    request = await client.hold(f"{SOURCE}/part2.3.m4s")
    stream.add_parts(1)
    assert (await request).content == b"part 0;"


async def test_a_hint_that_did_not_come_true_is_not_found(client: Player, stream: Stage) -> None:
    request = await client.hold(f"{SOURCE}/part2.3.m4s")
    stream.close()
    stream.add_parts(1)
    assert (await request).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "_HLS_msn=4", "_HLS_msn=999999999", "_HLS_msn=2&_HLS_part=19", "_HLS_msn=3&_HLS_part=16", "_HLS_part=1",
        "_HLS_msn=-1", "_HLS_msn=x", "_HLS_msn=", "_HLS_msn=1&_HLS_msn=2", "_HLS_msn=1&_HLS_part=1.5",
        "_HLS_msn=٣", "_HLS_msn=99999999999999999999", "_HLS_skip=NO",
    ],
)  # fmt: skip
async def test_requests_from_the_future_or_without_sense_are_bad(client: Player, stream: Stage, query: str) -> None:
    response = await client.get(f"{MEDIA}?{query}")
    assert response.status_code == 400
    assert response.headers["cache-control"] == "public, max-age=1"


async def test_the_past_is_answered_at_once(client: Player, stream: Stage) -> None:
    for query in ("_HLS_msn=0", "_HLS_msn=2&_HLS_part=2", "_HLS_msn=0&_HLS_part=3&_HLS_skip=YES"):
        assert (await client.get(f"{MEDIA}?{query}")).status_code == 200


async def test_requests_that_wait_are_limited(client: Player, stream: Stage) -> None:
    waiting = [await client.hold(f"{MEDIA}?_HLS_msn=2&_HLS_part=3") for _ in range(3)]
    refused = await client.get(f"{MEDIA}?_HLS_msn=2&_HLS_part=3")
    assert (refused.status_code, refused.headers["cache-control"]) == (503, "no-store")
    assert (await client.get(MEDIA)).status_code == 200
    stream.add_parts(1)
    assert [(await each).status_code for each in waiting] == [200] * 3
    assert (await client.get(f"{MEDIA}?_HLS_msn=2&_HLS_part=3")).status_code == 200


async def test_a_viewer_who_leaves_gives_up_the_place(client: Player, stream: Stage) -> None:
    for _ in range(5):
        request = await client.hold(f"{MEDIA}?_HLS_msn=2&_HLS_part=3")
        request.cancel()
        await client.until_held(0)


async def test_the_end_lets_everyone_go(client: Player, stream: Stage) -> None:
    playlist, part = await client.hold(f"{MEDIA}?_HLS_msn=2"), await client.hold(f"{SOURCE}/part2.3.m4s")
    stream.close()
    stream.playback.end()
    assert "#EXT-X-ENDLIST" in (await playlist).text
    assert (await part).status_code == 404
    assert (await client.get(f"{MEDIA}?_HLS_msn=50")).status_code == 200


async def test_the_multivariant_playlist_is_gzipped_when_asked(client: Player, stream: Stage) -> None:
    whole = await client.get(f"{BASE}/index.m3u8", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in whole.headers
    async with client.stream("GET", f"{BASE}/index.m3u8", headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["vary"] == "Accept-Encoding"
        raw = b"".join([chunk async for chunk in packed.aiter_raw()])
    assert gzip.decompress(raw) == whole.content


async def test_delta_updates_and_gzip_are_given_when_asked(client: Player, stream: Stage) -> None:
    stream.close()
    for _ in range(15):
        stream.add_parts(10, close=True)
    stream.add_parts(1)
    whole = await client.get(MEDIA, headers={"Accept-Encoding": "identity"})
    delta = await client.get(f"{MEDIA}?_HLS_skip=YES", headers={"Accept-Encoding": "identity"})
    assert "#EXT-X-SKIP" in delta.text
    assert len(delta.content) < len(whole.content)
    async with client.stream("GET", MEDIA, headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["vary"] == "Accept-Encoding"
        raw = b"".join([chunk async for chunk in packed.aiter_raw()])
    assert gzip.decompress(raw) == whole.content


@pytest.mark.parametrize(
    "name",
    ["..%2fstream%2findex.m3u8", "%2e%2e/%2e%2e/etc/passwd", "segment0.m4s%00", "segment0.m4s.bak", "segment-1.m4s",
     "segment٣.m4s", "part0.m4s", "init.mp4", "segment99999999999999.m4s", ""],
)  # fmt: skip
async def test_only_names_that_the_origin_gives_are_found(client: Player, stream: Stage, name: str) -> None:
    assert (await client.get(f"{SOURCE}/{name}")).status_code == 404
    assert (await client.get(f"{BASE}/{name}/media.m3u8")).status_code == 404


async def test_unknown_streams_and_streams_without_media_are_not_found(client: Player, registry: Registry) -> None:
    registry.open("silent")
    for stream_id in ("silent", "nobody", "..", "%2e%2e%2f"):
        assert (await client.get(f"/live/{stream_id}/index.m3u8")).status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "content", "said"),
    [
        ("bytes=0-3", 206, b"part", "bytes 0-3/70"),
        ("bytes=66-", 206, b"t 9;", "bytes 66-69/70"),
        ("bytes=-2", 206, b"9;", "bytes 68-69/70"),
        ("bytes=68-500", 206, b"9;", "bytes 68-69/70"),
        ("bytes=70-", 416, b"", "bytes */70"),
        ("bytes=5-2", 200, None, None),
        ("bytes=0-1,4-5", 200, None, None),
        ("lines=1-2", 200, None, None),
    ],
)
async def test_ranges(
    client: Player, stream: Stage, asked: str, status: int, content: bytes | None, said: str | None
) -> None:
    response = await client.get(f"{SOURCE}/segment0.m4s", headers={"Range": asked})
    assert response.status_code == status
    assert response.headers.get("content-range") == said
    assert content is None or response.content == content


async def test_browsers_of_other_sites_and_head_requests_are_served(client: Player, stream: Stage) -> None:
    response = await client.get(MEDIA, headers={"Origin": "https://example.org"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert (await client.get(f"{BASE}/nothing/at-all")).headers["access-control-allow-origin"] == "*"
    preflight = await client.options(MEDIA, headers={"Origin": "https://example.org"})
    assert (preflight.status_code, preflight.headers["access-control-allow-methods"]) == (204, "GET, HEAD")
    head = await client.head(f"{SOURCE}/segment0.m4s")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "70", b"")


async def test_a_segment_whose_file_vanished_is_not_found(client: Player, stream: Stage, tmp_path: Path) -> None:
    stream.close()
    stream.add_parts(1, close=True)
    (tmp_path / "stream" / "segments0.0").unlink()
    assert (await client.get(f"{SOURCE}/segment0.m4s")).status_code == 404


async def test_health(client: Player) -> None:
    for name in ("live", "ready"):
        assert (await client.get(f"/health/{name}")).status_code == 200


async def test_each_rendition_reports_where_the_others_are(client: Player, stream: Stage) -> None:
    lines = (await client.get(MEDIA)).text.splitlines()
    assert lines[-1] == '#EXT-X-RENDITION-REPORT:URI="../audio/media.m3u8",LAST-MSN=2,LAST-PART=2'


async def test_version_two_of_skipping_is_understood(client: Player, stream: Stage) -> None:
    stream.close()
    stream.add_segments(15)
    assert (await client.get(f"{MEDIA}?_HLS_skip=v2")).text == (await client.get(f"{MEDIA}?_HLS_skip=YES")).text


async def test_a_gap_cannot_be_fetched(client: Player, stream: Stage) -> None:
    stream.leave("audio")
    stream.add_parts(1, close=True)
    playlist = (await client.get(f"{BASE}/audio/media.m3u8")).text
    assert "GAP=YES" in playlist
    assert "#EXT-X-GAP" not in playlist
    assert (await client.get(f"{BASE}/audio/part2.3.m4s")).status_code == 404
    stream.add_segments(1)
    playlist = (await client.get(f"{BASE}/audio/media.m3u8")).text
    assert "#EXT-X-GAP" in playlist
    assert (await client.get(f"{BASE}/audio/segment3.m4s")).status_code == 404

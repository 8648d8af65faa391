"""The MPD and open segments over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from ingest.hls.gate import EDGE_SECRET_HEADER, Gate, PrivateStreams
from ingest.hls.live_edge import LiveEdge
from ingest.hls.origin import create_origin
from ingest.hls.registry import Registry
from tests.ingest.dash.channel import serving
from tests.ingest.hls.stage import Stage
from topology.settings import Settings

MANIFEST, INDEX = "/live/stream/manifest.mpd", "/live/stream/index.m3u8"
OPEN = "/live/stream/source/segment1.m4s"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


@pytest.fixture
def stream(registry: Registry) -> Stage:
    """A closed segment of ten parts and an open one of two."""
    stage = Stage(registry.open("stream"), ["source", "audio"])
    stage.add_parts(10, close=True)
    stage.add_parts(2)
    return stage


@pytest.fixture
async def client(registry: Registry) -> AsyncIterator[httpx.AsyncClient]:
    """Over real HTTP, since what is streamed matters."""
    app = create_origin(LiveEdge(registry, held_max=2), public_url="https://live.example/")
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
        yield client


async def test_the_manifest_is_kept_briefly_by_anybody(client: httpx.AsyncClient, stream: Stage) -> None:
    response = await client.get(MANIFEST)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/dash+xml"
    assert response.headers["cache-control"] == "public, max-age=1"
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["vary"] == "Accept-Encoding"
    assert 'value="https://live.example/time"' in response.text


async def test_the_manifest_comes_packed_to_those_who_take_it(client: httpx.AsyncClient, stream: Stage) -> None:
    packed = await client.get(MANIFEST, headers={"Accept-Encoding": "gzip"})
    plain = await client.get(MANIFEST, headers={"Accept-Encoding": "identity"})
    assert (packed.headers["content-encoding"], plain.headers.get("content-encoding")) == ("gzip", None)
    assert packed.text == plain.text


async def test_the_manifest_changes_with_its_segments_and_not_with_their_parts(
    client: httpx.AsyncClient, stream: Stage
) -> None:
    first = (await client.get(MANIFEST)).text
    stream.add_parts(1)
    assert (await client.get(MANIFEST)).text == first
    stream.add_parts(1, close=True)
    assert '<S t="0" d="180000"/><S d="72000"/>' in (await client.get(MANIFEST)).text
    stream.add_parts(1)
    assert '<S t="0" d="180000"/><S d="72000" r="1"/>' in (await client.get(MANIFEST)).text


async def test_what_no_browser_plays_is_left_out_of_both_manifests_while_there_is_another_picture(
    client: httpx.AsyncClient, registry: Registry
) -> None:
    stage = Stage(registry.open("stream"), ["source", "audio"], plays_in_browsers=False)
    stage.add_segments(1)
    assert 'id="source"' in (await client.get(MANIFEST)).text
    assert "source/" in (await client.get(INDEX)).text
    stage.join("360p")
    stage.add_segments(2)
    periods = (await client.get(MANIFEST)).text.split("<Period")[1:]
    assert ['id="source"' in period for period in periods] == [True, False]
    assert ['id="360p"' in period for period in periods] == [False, True]
    index = (await client.get(INDEX)).text
    assert "source/" not in index
    assert "360p/" in index


async def test_there_is_no_manifest_before_there_is_media(client: httpx.AsyncClient, registry: Registry) -> None:
    assert (await client.get(MANIFEST)).status_code == 404
    Stage(registry.open("stream"), ["source", "audio"])
    assert (await client.get(MANIFEST)).status_code == 404


async def test_the_first_who_asks_gets_all_that_was_before(client: httpx.AsyncClient, stream: Stage) -> None:
    stream.close()
    stream.add_segments(200)
    first, second = await asyncio.gather(client.get(MANIFEST), client.get(MANIFEST))
    assert '<S d="36000"/><S d="180000" r="199"/>' in first.text
    assert second.text == first.text


async def test_a_stream_that_is_over_has_a_static_manifest(client: httpx.AsyncClient, stream: Stage) -> None:
    await client.get(MANIFEST)
    stream.close()
    stream.playback.end()
    text = (await client.get(MANIFEST)).text
    assert 'type="static"' in text
    assert 'mediaPresentationDuration="PT2.4S"' in text


async def test_everything_the_manifest_names_is_there(client: httpx.AsyncClient, stream: Stage) -> None:
    stream.close()
    stream.playback.end()
    text = (await client.get(MANIFEST)).text
    assert text.count('startNumber="0"') == 2
    for name in ("source", "audio"):
        for file in ("init0.mp4", "segment0.m4s", "segment1.m4s"):
            assert (await client.get(f"/live/stream/{name}/{file}")).status_code == 200


async def test_players_can_ask_for_the_time(client: httpx.AsyncClient) -> None:
    response = await client.get("/time")
    assert datetime.fromisoformat(response.text).tzinfo is not None
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["access-control-allow-origin"] == "*"


async def test_an_open_segment_is_sent_as_it_grows_and_ends_when_it_closes(
    client: httpx.AsyncClient, stream: Stage
) -> None:
    async with client.stream("GET", OPEN) as response:
        assert (response.status_code, response.headers["transfer-encoding"]) == (200, "chunked")
        assert "immutable" in response.headers["cache-control"]
        chunks = response.aiter_raw()
        assert await anext(chunks) + await anext(chunks) == b"part 0;part 1;"
        stream.add_parts(1, fill=b"third;")
        assert await anext(chunks) == b"third;"
        stream.add_parts(2, close=True, fill=b"last;")
        assert b"".join([chunk async for chunk in chunks]) == b"last;last;"
    assert (await client.get(OPEN)).content == b"part 0;part 1;third;last;last;"


async def test_an_open_segment_ends_with_its_stream(client: httpx.AsyncClient, stream: Stage) -> None:
    async with client.stream("GET", OPEN) as response:
        stream.close()
        stream.playback.end()
        assert await response.aread() == b"part 0;part 1;"


async def test_readers_of_open_segments_are_limited_with_all_who_wait(client: httpx.AsyncClient, stream: Stage) -> None:
    async with client.stream("GET", OPEN), client.stream("GET", OPEN):
        refused = await client.get(OPEN)
        assert (refused.status_code, refused.headers["cache-control"]) == (503, "no-store")
        waiting = await client.get("/live/stream/source/media.m3u8?_HLS_msn=1&_HLS_part=3")
        assert waiting.status_code == 503
    stream.close()
    assert (await client.get(OPEN)).status_code == 200


async def test_a_reader_who_leaves_gives_up_the_place(client: httpx.AsyncClient, stream: Stage) -> None:
    for _ in range(3):
        async with asyncio.timeout(30):
            while True:
                async with client.stream("GET", OPEN) as response:
                    if response.status_code == 200:
                        break
                await asyncio.sleep(0.01)


async def test_a_segment_whose_rest_does_not_come_is_not_taken_for_whole(
    client: httpx.AsyncClient, stream: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.hls.growing._PATIENCE_S", 0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(OPEN)


async def test_segments_that_are_not_open_yet_or_have_nothing_are_not_found(
    client: httpx.AsyncClient, stream: Stage
) -> None:
    assert (await client.get("/live/stream/source/segment2.m4s")).status_code == 404
    stream.close()
    stream.add_parts(1, fill=b"")
    assert (await client.get("/live/stream/source/segment2.m4s")).status_code == 404


async def test_no_hls_playlist_lists_an_open_segment(client: httpx.AsyncClient, stream: Stage) -> None:
    for name in ("source", "audio"):
        text = (await client.get(f"/live/stream/{name}/media.m3u8")).text
        assert "\nsegment0.m4s" in text
        assert "segment1.m4s" not in text


async def test_a_private_stream_has_its_manifest_in_its_own_tree(
    registry: Registry, stream: Stage, tmp_path: Path
) -> None:
    private = PrivateStreams(lambda stream_id: True)
    private.note("stream", "private")
    settings = Settings(data_dir=tmp_path / "keys", playback_edge_secret=SecretStr("the edge's secret"))
    gate = Gate(create_origin(LiveEdge(registry)), private, settings)
    secret = {EDGE_SECRET_HEADER: "the edge's secret"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://origin") as client:
        assert (await client.get(MANIFEST)).status_code == 403
        assert (await client.get("/private/stream/manifest.mpd")).status_code == 403
        manifest = await client.get("/private/stream/manifest.mpd", headers=secret)
        assert 'media="$RepresentationID$/segment$Number$.m4s"' in manifest.text
        assert (await client.get("/private/stream/source/segment0.m4s", headers=secret)).status_code == 200

"""Many viewers over HTTP: what waits, what is answered beside the app, and what a client may not do to the others."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingest.cmcd.middleware import CmcdMiddleware
from ingest.cmcd.parse import Cmcd
from ingest.hls.backlog import WindowLimits
from ingest.hls.gate import EDGE_SECRET_HEADER, REFUSAL_HEADER, Gate, PrivateStreams
from ingest.hls.live_edge import LiveEdge
from ingest.hls.origin import create_origin
from ingest.hls.registry import Registry
from tests.ingest.hls.stage import Stage
from tests.ingest.hls.viewer import House
from topology.settings import Settings

SOURCE = "/live/stream/source"
MEDIA = f"{SOURCE}/media.m3u8"
RELOAD, HINTED = f"{MEDIA}?_HLS_msn=1&_HLS_part=3&_HLS_skip=YES", f"{SOURCE}/part1.3.m4s"
LISTED = f"{SOURCE}/part1.2.m4s"
HUGE = 16 << 20
"""Bytes of a part that no socket buffers take whole."""


class Book:
    """Writes down who is heard of."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def observe(self, stream_id: str, cmcd: Cmcd, status: int = 200) -> bool:
        self.heard.append(cmcd.sid)
        return True


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "live")


@pytest.fixture
def stream(registry: Registry) -> Stage:
    """A closed segment of ten parts and an open one of three."""
    stage = Stage(registry.open("stream"), ["source", "audio"])
    stage.add_parts(10, close=True)
    stage.add_parts(3)
    return stage


@pytest.fixture
async def house(registry: Registry, stream: Stage) -> AsyncIterator[House]:
    async with House(LiveEdge(registry)).open() as house:
        yield house


async def test_what_viewers_ask_over_and_over_never_comes_to_the_app(house: House, stream: Stage) -> None:
    playlists, parts = await house.enter(), await house.enter()
    playlists.ask(RELOAD, Accept_Encoding="gzip")
    parts.ask(HINTED, Accept_Encoding="gzip")
    await house.until_held(2)
    stream.add_parts(1, fill=b"the part")
    part, playlist = await parts.answer(), await playlists.answer()
    assert (part.status, part.body) == (200, b"the part")
    assert b"part1.4.m4s" in gzip.decompress(playlist.body)
    assert len(house.taken) == 2


async def test_each_gets_the_playlist_in_the_form_it_takes(house: House, stream: Stage) -> None:
    packing, plain = await house.enter(), await house.enter()
    packing.ask(RELOAD, Accept_Encoding="br, gzip")
    plain.ask(RELOAD)
    await house.until_held(2)
    stream.add_parts(1)
    packed, whole = await packing.answer(), await plain.answer()
    assert (packed.header("content-encoding"), whole.header("content-encoding")) == ("gzip", None)
    assert gzip.decompress(packed.body) == whole.body
    assert packed.header("vary") == whole.header("vary") == "Accept-Encoding"


async def test_pipelined_requests_are_answered_in_their_order(house: House, stream: Stage) -> None:
    viewer = await house.enter()
    viewer.ask(f"{SOURCE}/part1.1.m4s", f"{SOURCE}/nothing", LISTED)
    assert [(await viewer.answer()).status for _ in range(3)] == [200, 404, 200]
    viewer.ask(LISTED)
    assert (await viewer.answer()).body == b"part 2;"


async def test_what_comes_after_a_request_that_waits_is_answered_after_it(house: House, stream: Stage) -> None:
    viewer = await house.enter()
    viewer.ask(HINTED)
    await house.until_held(1)
    viewer.ask(f"{SOURCE}/init0.mp4", LISTED)
    await house.until(lambda: not all(each.transport.is_reading() for each in house.connections))
    stream.add_parts(1, fill=b"the part")
    assert [(await viewer.answer()).body for _ in range(3)] == [b"the part", b"the init", b"part 2;"]
    viewer.ask(LISTED)
    assert (await viewer.answer()).body == b"part 2;"


async def test_who_sends_without_end_while_a_request_waits_is_shown_out(house: House, stream: Stage) -> None:
    viewer = await house.enter()
    viewer.ask(HINTED)
    await house.until_held(1)
    viewer.send(b"x" * (1 << 18))
    await house.until(lambda: not house.connections)
    await house.until_held(0)


async def test_a_request_in_pieces_is_one_request(house: House, stream: Stage) -> None:
    viewer = await house.enter()
    viewer.send(f"GET {HINTED} HTTP/1.1\r\nHo".encode())
    await house.until(lambda: bool(house.connections))
    await asyncio.sleep(0.01)
    viewer.send(b"st: origin\r\n\r\n")
    await house.until_held(1)
    stream.add_parts(1, fill=b"the part")
    assert (await viewer.answer()).body == b"the part"


async def test_head_and_ranges_of_a_part_wait_for_it_too(house: House, stream: Stage) -> None:
    heading, ranging = await house.enter(), await house.enter()
    heading.ask(HINTED, method="HEAD")
    ranging.ask(HINTED, Range="bytes=4-7")
    await house.until_held(2)
    stream.add_parts(1, fill=b"the part")
    head, piece = await heading.answer(has_body=False), await ranging.answer()
    assert (head.status, head.header("content-length")) == (200, "8")
    assert (piece.status, piece.header("content-range"), piece.body) == (206, "bytes 4-7/8", b"part")


async def test_a_part_that_only_the_disk_has_is_served(house: House, stream: Stage) -> None:
    stream.close()
    stream.add_segments(4)
    viewer = await house.enter()
    viewer.ask(f"{SOURCE}/part0.3.m4s")
    assert (await viewer.answer()).body == b"part 3;"
    assert not house.taken, "it was read on a thread, by the app"


async def test_a_part_that_went_to_the_disk_before_its_turn_came_is_served(house: House, stream: Stage) -> None:
    viewer = await house.enter()
    viewer.ask(HINTED)
    await house.until_held(1)
    stream.add_parts(1, fill=b"the part", close=True)
    stream.add_segments(5)
    assert (await viewer.answer()).body == b"the part"
    assert house.edge.held.count == 0


async def test_a_client_that_goes_away_gives_up_its_place(house: House, stream: Stage) -> None:
    leaving, staying = await house.enter(), await house.enter()
    for viewer in (leaving, staying):
        viewer.ask(HINTED)
    await house.until_held(2)
    await leaving.leave()
    await house.until_held(1)
    stream.add_parts(1, fill=b"the part")
    assert (await staying.answer()).body == b"the part"
    await house.until_held(0)


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-"}], ids=["beside the app", "in the app"])
async def test_what_does_not_come_in_time_is_unavailable(tmp_path: Path, headers: dict[str, str]) -> None:
    registry = Registry(tmp_path / "slow", WindowLimits(target_s=1))
    stream = Stage(registry.open("stream"))
    stream.add_parts(10, close=True)
    stream.add_parts(3)
    async with House(LiveEdge(registry)).open() as house:
        first, second = await house.enter(), await house.enter()
        first.ask(HINTED, **headers)
        await house.until_held(1)
        await asyncio.sleep(0.2)
        second.ask(HINTED, **headers)
        await house.until_held(2)
        for viewer in (first, second):
            answer = await viewer.answer()
            assert (answer.status, answer.body) == (503, b"nothing arrived in time")
            assert (answer.header("cache-control"), answer.header("retry-after")) == ("no-store", "1")
        assert house.edge.held.count == 0
        first.ask(HINTED, **headers)
        await house.until_held(1)


async def test_a_client_that_reads_nothing_is_closed(registry: Registry, stream: Stage) -> None:
    stream.add_parts(1, fill=b"x" * HUGE)
    async with House(LiveEdge(registry)).open(keep_alive_s=1) as house:
        once, insisting = await house.enter(receive_buffer=4096), await house.enter(receive_buffer=4096)
        once.ask(HINTED)
        insisting.ask(HINTED, *[LISTED] * 10)
        await house.until(lambda: len(house.connections) == 2)
        await house.until(lambda: not house.connections)


async def test_a_client_that_reads_slowly_is_not(registry: Registry, stream: Stage) -> None:
    stream.add_parts(1, fill=b"x" * HUGE)
    async with House(LiveEdge(registry)).open(keep_alive_s=1) as house:
        viewer = await house.enter(receive_buffer=1 << 18)
        viewer.ask(HINTED)
        assert len((await viewer.answer(pause_s=0.5)).body) == HUGE


async def test_an_idle_connection_is_closed_and_one_that_waits_is_not(registry: Registry, stream: Stage) -> None:
    async with House(LiveEdge(registry)).open(keep_alive_s=1) as house:
        idle, waiting = await house.enter(), await house.enter()
        for viewer in (idle, waiting):
            viewer.ask(LISTED)
            assert (await viewer.answer()).status == 200
        waiting.ask(HINTED)
        await idle.hung_up()
        assert house.edge.held.count == 1
        stream.add_parts(1, fill=b"the part")
        assert (await waiting.answer()).body == b"the part"
        await waiting.hung_up()


async def test_a_connection_on_which_requests_come_stays(registry: Registry, stream: Stage) -> None:
    async with House(LiveEdge(registry)).open(keep_alive_s=1) as house:
        idle, busy = await house.enter(), await house.enter()
        for viewer in (idle, busy):
            viewer.ask(LISTED)
            await viewer.answer()
        leaving = asyncio.create_task(idle.hung_up())
        while not leaving.done():
            busy.ask(LISTED)
            assert (await busy.answer()).status == 200
            await asyncio.sleep(0.01)
        for target in (LISTED, f"{SOURCE}/init0.mp4", LISTED):
            busy.ask(target)
            assert (await busy.answer()).status == 200
        await busy.hung_up()


async def test_who_waits_when_the_origin_stops_is_told(house: House, stream: Stage) -> None:
    viewer = await house.enter()
    viewer.ask(RELOAD)
    await house.until_held(1)
    for connection in list(house.connections):
        connection.shutdown()
    answer = await viewer.answer()
    assert (answer.status, answer.body) == (503, b"the origin stops")
    assert answer.header("connection") == "close"
    await viewer.hung_up()
    assert house.edge.held.count == 0


async def test_a_private_stream_is_refused_in_the_public_tree_and_waits_in_its_own(
    registry: Registry, stream: Stage, tmp_path: Path
) -> None:
    private = PrivateStreams(lambda _: True)
    private.note("stream", "private")
    edge = LiveEdge(registry)
    settings = Settings(data_dir=tmp_path / "keys", playback_edge_secret=SecretStr("of-the-cdn"))
    async with House(edge, Gate(create_origin(edge), private, settings), private).open() as house:
        viewer = await house.enter()
        for target in (HINTED, LISTED, MEDIA, RELOAD):
            viewer.ask(target)
            answer = await viewer.answer()
            assert (answer.status, answer.header(REFUSAL_HEADER.lower())) == (403, "token_missing")
        viewer.ask(HINTED.replace("/live/", "/private/"), **{EDGE_SECRET_HEADER: "of-the-cdn"})
        await house.until_held(1)
        stream.add_parts(1, fill=b"the part")
        assert (await viewer.answer()).body == b"the part"
        assert not house.taken


async def test_a_player_that_tells_of_itself_is_heard(registry: Registry, stream: Stage) -> None:
    book = Book()
    edge = LiveEdge(registry)
    async with House(edge, CmcdMiddleware(create_origin(edge), book, 5)).open() as house:
        viewer = await house.enter()
        viewer.ask(f"{LISTED}?CMCD=sid%3D%22viewer-aaaa%22")
        await viewer.answer()
        viewer.ask(LISTED, CMCD_Session='sid="viewer-bbbb"')
        await viewer.answer()
        assert book.heard == ["viewer-aaaa", "viewer-bbbb"]

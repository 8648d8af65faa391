"""CMCD at the origin over HTTP: what is noticed, what is refused, and that media never suffers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from ingest.cmcd.middleware import CmcdMiddleware
from ingest.cmcd.parse import Cmcd
from ingest.cmcd.reporting import MAX_BODY
from ingest.hls.live_edge import LiveEdge
from ingest.hls.origin import create_origin
from ingest.hls.registry import Registry

REPORT = 'cid="stream",e=t,sid="viewer-aaaa",sta=p,ts=1790000000000,v=2'
PER_MINUTE = 5


class Book:
    """Writes down who is heard of on the stream that is live."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Cmcd, int]] = []

    def observe(self, stream_id: str, cmcd: Cmcd, status: int = 200) -> bool:
        if stream_id != "stream":
            return False
        self.said.append((stream_id, cmcd, status))
        return True


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
async def client(book: Book, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = CmcdMiddleware(create_origin(LiveEdge(Registry(tmp_path))), book, PER_MINUTE)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://origin") as client:
        yield client


async def test_the_query_argument_of_a_media_request_is_noticed_with_its_answer(
    client: httpx.AsyncClient, book: Book
) -> None:
    answer = await client.get("/live/stream/segment9.m4s", params={"CMCD": 'br=2500,ot=av,sid="viewer-aaaa"'})
    assert answer.status_code == 404
    assert book.said == [("stream", Cmcd(sid="viewer-aaaa", br=2500, ot="av"), 404)]


async def test_the_headers_of_a_media_request_are_noticed(client: httpx.AsyncClient, book: Book) -> None:
    headers = {"CMCD-Session": 'sid="viewer-aaaa"', "CMCD-Object": "br=2500", "CMCD-Status": "bs"}
    await client.get("/live/stream/720p/part1.2.m4s", headers=headers)
    assert [cmcd for _, cmcd, _ in book.said] == [Cmcd(sid="viewer-aaaa", br=2500, bs=True)]


async def test_a_request_through_a_cache_is_not_counted(client: httpx.AsyncClient, book: Book) -> None:
    params = {"CMCD": 'sid="viewer-aaaa"'}
    await client.get("/live/stream/segment9.m4s", params=params, headers={"Via": "1.1 edge.example (CloudFront)"})
    assert book.said == []


@pytest.mark.parametrize("text", ["", "sid=", 'sid="viewer-aaaa",br=fast', "%00", "x" * 5000])
async def test_bad_cmcd_costs_nobody_a_segment(client: httpx.AsyncClient, book: Book, text: str) -> None:
    plain = await client.get("/live/stream/segment9.m4s")
    decorated = await client.get("/live/stream/segment9.m4s", params={"CMCD": text})
    assert (decorated.status_code, decorated.content) == (plain.status_code, plain.content)
    assert book.said == []


async def test_other_requests_pass(client: httpx.AsyncClient, book: Book) -> None:
    assert (await client.get("/health/live", params={"CMCD": 'sid="viewer-aaaa"'})).status_code == 200
    assert book.said == []


async def test_reports_are_taken_from_any_site(client: httpx.AsyncClient, book: Book) -> None:
    allowed = await client.options("/cmcd")
    answer = await client.post("/cmcd", content=f"{REPORT}\n{REPORT}\n", headers={"Content-Type": "application/cmcd"})
    assert allowed.headers["access-control-allow-headers"] == "Content-Type"
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert [(stream, cmcd.e, cmcd.sta) for stream, cmcd, _ in book.said] == [("stream", "t", "p")] * 2


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("nonsense", 400, "line 1: sid is missing"),
        (REPORT + "\n" + REPORT.replace("sta=p", "sta=?"), 400, "line 2: a value is expected"),
        ("", 400, "0 reports"),
        (REPORT.replace('"stream"', '"another"'), 404, "cid is the id of a stream that is live"),
        (REPORT * (MAX_BODY // len(REPORT) + 1), 413, f"at most {MAX_BODY} bytes"),
    ],
)
async def test_a_bad_report_is_refused_with_the_reason(
    client: httpx.AsyncClient, book: Book, body: str, status: int, reason: str
) -> None:
    answer = await client.post("/cmcd", content=body)
    assert answer.status_code == status
    assert reason in answer.text
    assert book.said == []


async def test_reports_are_posted(client: httpx.AsyncClient) -> None:
    answer = await client.get("/cmcd")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")


async def test_an_address_that_reports_too_often_is_told_when_to_come_back(
    client: httpx.AsyncClient, book: Book
) -> None:
    statuses = [(await client.post("/cmcd", content=REPORT)).status_code for _ in range(PER_MINUTE)]
    refused = await client.post("/cmcd", content=REPORT)
    assert statuses == [204] * PER_MINUTE
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert len(book.said) == PER_MINUTE

"""A plain request means what the parser says it means, and gets what the app answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httptools
import pytest
import uvloop
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from ingest.hls.live_edge import LiveEdge
from ingest.hls.plain_request import PlainRequest, plain_request
from ingest.hls.registry import Registry
from ingest.hls.wanted import Part, Reload
from tests.ingest.hls.stage import Stage
from tests.ingest.hls.viewer import Answer, House

LINE = "GET /live/s-1/source/part7.3.m4s HTTP/1.1\r\n"
HOST = "Host: origin\r\n"


def read(text: str) -> PlainRequest | None:
    return plain_request(text.encode("latin-1"))


def test_what_players_send_is_plain() -> None:
    fields = (
        "Host: origin\r\nUser-Agent: Mozilla/5.0 (X11)\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
    )
    assert read(f"{LINE}{fields}\r\n") == PlainRequest("s-1", "source", Part(7, 3), gzip=True)
    reload = "GET /live/s-1/source/media.m3u8?_HLS_msn=7&_HLS_part=3&_HLS_skip=YES HTTP/1.1\r\n"
    assert read(f"{reload}{HOST}\r\n") == PlainRequest("s-1", "source", Reload(7, 3, skip=True), gzip=False)


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace("GET", "HEAD"), LINE.replace("HTTP/1.1", "HTTP/1.0"), LINE.replace("/live", "/private"),
        LINE.replace("/live", "http://origin/live"), LINE.replace("source", "sour%63e"),
        LINE.replace("part", "segment"),
        LINE.replace("m4s ", "m4s?CMCD=sid%3D%22a%22 "), LINE.replace(" HTTP", "  HTTP"), LINE.replace("\r\n", "\n"),
        LINE.replace("part7.3.m4s", "media.m3u8?_HLS_part=1"), LINE.replace("m4s ", f"m4s?{'x' * 600} "),
        LINE.replace("m4s ", "m4s?a#b "), LINE.replace("source", "x" * 65),
    ],
)  # fmt: skip
def test_other_request_lines_are_not(line: str) -> None:
    assert read(f"{line}{HOST}\r\n") is None


@pytest.mark.parametrize(
    "fields",
    [
        "Range: bytes=0-1\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n",
        "CONNECTION: Upgrade\r\nUpgrade: websocket\r\n", "Expect: 100-continue\r\n", "CMCD-Session: sid=x\r\n",
        "Content-Length : 3\r\n", " folded: x\r\n", "X: a\r\n b\r\n", "X: a\nRange: bytes=0-1\r\n",
        "X\r\n", "X: \0\r\n",
        f"X: {'x' * 2048}\r\n", f"\r\n{LINE}{HOST}", "Proxy-Connection: close\r\n",
    ],
)  # fmt: skip
def test_other_header_fields_are_not(fields: str) -> None:
    assert read(f"{LINE}{HOST}{fields}\r\n") is None


def test_less_and_more_than_one_request_is_not() -> None:
    whole = f"{LINE}{HOST}\r\n"
    assert read(whole)
    assert not any(read(whole[:size]) for size in range(len(whole)))
    assert read(whole + "G") is None


names = st.sampled_from(
    ["Host", "Accept-Encoding", "accept-encoding", "Connection", "Range", "User-Agent", "Content-Length", "X:", "", "É"]
)
values = st.one_of(
    st.sampled_from(["gzip", " gzip, br", "identity", "keep-alive", "close", "bytes=0-1", "0", "x ", "\t", "a\r\n b"]),
    st.text(st.characters(max_codepoint=255), max_size=8),
)
blocks = st.lists(st.tuples(names, values), max_size=4).map(
    lambda fields: "".join(f"{name}: {value}\r\n" for name, value in fields)
)


class Parsed:
    """What uvicorn's parser makes of bytes."""

    def __init__(self, data: bytes) -> None:
        self.url, self.headers, self.messages, self.body = b"", [(b"", b"")][:0], 0, b""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.messages += 1


@given(blocks)
@example("Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n")
def test_the_parser_reads_the_same_in_what_is_plain(block: str) -> None:
    data = f"{LINE}{block}\r\n".encode("latin-1")
    if request := plain_request(data):
        parsed = Parsed(data)
        assert (parsed.messages, parsed.body, parsed.url) == (1, b"", b"/live/s-1/source/part7.3.m4s")
        assert parsed.parser.should_keep_alive()
        assert not parsed.parser.should_upgrade()
        headers = Headers(raw=parsed.headers)
        assert request.gzip == ("gzip" in headers.get("accept-encoding", ""))
        assert not {"range", "expect", "content-length"} & set(headers)


class Ways:
    """The same stream, asked as players do, and with a header that leaves it to the app. Nobody may wait."""

    def __init__(self, directory: Path) -> None:
        registry = Registry(directory)
        stage = Stage(registry.open("stream"), ["source", "audio"])
        stage.add_segments(6)
        stage.add_parts(3)
        self.runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._house = House(LiveEdge(registry, held_max=0))
        self._open = self._house.open()
        self.runner.run(self._open.__aenter__())
        self._viewers = [self.runner.run(self._house.enter()) for _ in range(2)]

    def ask(self, target: str, gzip: bool) -> tuple[Answer, Answer, bool]:
        """Both answers, and whether the first came beside the app."""
        accepts = {"Accept_Encoding": "gzip"} if gzip else {}
        before = len(self._house.taken)

        async def both() -> tuple[Answer, Answer]:
            first, second = self._viewers
            first.ask(target, **accepts)
            second.ask(target, **accepts, Expect="nothing")
            return await first.answer(), await second.answer()

        one, other = self.runner.run(both())
        return one, other, len(self._house.taken) > before

    def close(self) -> None:
        self.runner.run(self._open.__aexit__(None, None, None))
        self.runner.close()


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    ways = Ways(tmp_path_factory.mktemp("ways"))
    yield ways
    ways.close()


numbers = st.integers(-1, 9).map(str)
fields = st.one_of(
    st.tuples(st.sampled_from(["_HLS_msn", "_HLS_part"]), numbers),
    st.tuples(st.just("_HLS_skip"), st.sampled_from(["YES", "v2", "NO", ""])),
    st.tuples(st.sampled_from(["_HLS_msn", "_HLS_part", "a", ""]), st.text("09+%;&=x", max_size=4)),
)
queries = st.lists(fields, max_size=3).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))
files = st.one_of(
    st.just("media.m3u8"),
    st.builds("part{}.{}.m4s".format, numbers, numbers),
    st.builds("segment{}.m4s".format, numbers),
    st.text("amp0.%4s", max_size=8),
)
targets = st.builds(
    "/live/{}/{}/{}{}{}".format,
    st.sampled_from(["stream", "nobody", "str%65am", ""]),
    st.sampled_from(["source", "audio", "nothing", "."]),
    files,
    st.sampled_from(["", "?"]),
    queries,
)


@given(targets, st.booleans())
@example("/live/stream/source/media.m3u8?_HLS_msn=6&_HLS_part=2&_HLS_skip=YES", True)
@example("/live/stream/source/media.m3u8?_HLS_msn=8", False)
@example("/live/stream/source/part6.3.m4s", False)
@example("/live/stream/source/part0.0.m4s", False)
def test_both_ways_give_the_same_answer(ways: Ways, target: str, gzip: bool) -> None:
    beside, through, _ = ways.ask(target, gzip)
    assert beside == through


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("media.m3u8", 200),
        ("media.m3u8?_HLS_msn=6&_HLS_part=2&_HLS_skip=YES", 200),
        ("media.m3u8?_HLS_msn=6&_HLS_part=3", 503),
        ("media.m3u8?_HLS_msn=8", 400),
        ("part6.2.m4s", 200),
        ("part6.3.m4s", 503),
        ("part6.4.m4s", 404),
    ],
)
def test_every_kind_of_answer_is_given_beside_the_app(ways: Ways, target: str, status: int) -> None:
    answer, _, beside = ways.ask(f"/live/stream/source/{target}", gzip=True)
    assert (answer.status, beside) == (status, True)

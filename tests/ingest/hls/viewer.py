"""A viewer that writes HTTP/1.1 by hand: what a client library would never send, and never leave unread."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from starlette.types import ASGIApp

from ingest.hls.gate import PrivateStreams
from ingest.hls.live_edge import LiveEdge
from ingest.hls.live_http import LiveHttp, live_http
from ingest.hls.origin import create_origin
from ingest.hls.plain_request import PlainRequest
from tests.ingest.hls.check.serving import connections_taken

PATIENCE_S = 30.0


class Answer(NamedTuple):
    status: int
    headers: Sequence[tuple[str, str]]
    """In their order; without the date."""
    body: bytes

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)


class Viewer:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def ask(self, *targets: str, method: str = "GET", **headers: str) -> None:
        """All in one packet."""
        fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self.send("".join(f"{method} {target} HTTP/1.1\r\nHost: origin\r\n{fields}\r\n" for target in targets).encode())

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self, has_body: bool = True, pause_s: float = 0.0) -> Answer:
        """The next one. Its body is read a quarter at a time, with pauses."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
            fields = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in head[1:])]
            size = int(dict(fields).get("content-length", "0")) if has_body else 0
            body = await self._reader.readexactly(size % 4)
            for _ in range(4):
                await asyncio.sleep(pause_s)
                body += await self._reader.readexactly(size // 4)
        return Answer(int(head[0].split()[1]), [field for field in fields if field[0] != "date"], body)

    async def hung_up(self) -> None:
        """Returns when the server closed the connection and nothing is left to read. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while await self._reader.read(65536):
                    pass
            except ConnectionResetError:
                pass

    async def leave(self) -> None:
        """At once, whatever was under way."""
        self._writer.transport.abort()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


class House:
    """An origin on a port, and who is there."""

    def __init__(self, edge: LiveEdge, app: ASGIApp | None = None, private: PrivateStreams | None = None) -> None:
        self.edge = edge
        self.app = app or create_origin(edge)
        self.port = 0
        self._viewers: list[Viewer] = []
        self.connections: set[LiveHttp] = set()
        self.taken: list[PlainRequest] = []
        """Requests that never came to the app."""
        taken = self.taken

        class Noted(live_http(edge, private or PrivateStreams(lambda _: True))):  # type: ignore[misc]  # made for it
            def take(self, request: PlainRequest, data: bytes) -> bool:
                done: bool = super().take(request, data)
                if done:
                    taken.append(request)
                return done

        self._http = Noted

    @asynccontextmanager
    async def open(self, keep_alive_s: int = 5) -> AsyncIterator[House]:
        async with connections_taken(self.app, self._http, keep_alive_s) as (self.port, state):
            self.connections = state.connections  # type: ignore[assignment]  # all are of one class
            try:
                yield self
            finally:
                for viewer in self._viewers:
                    await viewer.leave()

    async def enter(self, receive_buffer: int | None = None) -> Viewer:
        """A new viewer; `receive_buffer` is in bytes."""
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self.port))
        limit = 2048 if receive_buffer else 1 << 20
        viewer = Viewer(*await asyncio.open_connection(sock=connection, limit=limit))
        self._viewers.append(viewer)
        return viewer

    async def until(self, condition: Callable[[], bool]) -> None:
        """Raises TimeoutError when it does not come to hold."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110  # the origin tells nobody
                await asyncio.sleep(0.001)

    async def until_held(self, count: int) -> None:
        """So many wait. Raises TimeoutError."""
        await self.until(lambda: self.edge.held.count == count)

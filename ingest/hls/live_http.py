"""HTTP/1.1 for many viewers: uvicorn's protocol, with a shorter way for plain requests at the live edge.

A plain request (`plain_request`) of a public stream is answered, or waits, without a task, a scope and messages of its
own: what it is answered with is the edge's to say, as it is for the origin's app, which answers everything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from starlette.responses import Response
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ingest.hls.fan_out import Crowd, FanOut
from ingest.hls.gate import PrivateStreams
from ingest.hls.live_edge import Hold, LiveEdge, unavailable
from ingest.hls.plain_request import PlainRequest, plain_request
from ingest.hls.shelf import Slice


class Wire:
    """An answer's bytes; all of a crowd are given the same."""

    def __init__(self) -> None:
        self._response: Response | None = None
        self._bytes = b""

    def of(self, response: Response, default_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        if response is not self._response:
            head = [STATUS_LINE[response.status_code]]
            for name, value in (*default_headers, *response.raw_headers):
                head += name, b": ", value, b"\r\n"
            self._response, self._bytes = response, b"".join((*head, b"\r\n", response.body))
        return self._bytes


class LiveHttp(HttpToolsProtocol):
    """Get one from `live_http`."""

    edge: ClassVar[LiveEdge]
    fan_out: ClassVar[FanOut]
    private: ClassVar[PrivateStreams]
    wire: ClassVar[Wire]

    _crowd: Crowd | None = None
    """Where its request waits."""
    _asked = b""
    """That request."""
    _next = b""
    """What came after it."""
    _amid = False
    """The parser has seen a part of a message."""
    _idle_since = 0.0
    _seen = 0, 0.0
    """Bytes that the client had not taken, and since when it was idle, when the timer went off last."""

    # The transport's side

    def data_received(self, data: bytes) -> None:
        if self._crowd:
            self._put_off(data)
            return
        request = None if self._amid or self._engaged or self.flow.write_paused else plain_request(data)
        if request is None or not self.take(request, data):
            super().data_received(data)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.timeout_keep_alive_task is None:
            self._look_in(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._crowd:
            self.fan_out.leave(self, self._crowd)
            self._crowd = None
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    # The plain request's side

    def take(self, request: PlainRequest, data: bytes) -> bool:
        """Answer it or let it wait; False leaves it to the app."""
        window = None if request.stream_id in self.private else self.edge.window(request.stream_id, request.rendition)
        if window is None:
            return False
        found = self.edge.ask(window, request.wanted, request.gzip)
        if isinstance(found, Slice):
            return False
        if isinstance(found, Hold):
            self._asked = data
            self._crowd = self.fan_out.join(self, found, (request.wanted, request.gzip), self.loop)
        else:
            self._write(found)
        return True

    def answer(self, found: Response | Slice) -> None:
        """The wait is over."""
        asked, self._asked, self._crowd = self._asked, b"", None
        if isinstance(found, Slice):
            super().data_received(asked)
        else:
            self._write(found)
        if self._next:
            data, self._next = self._next, b""
            self.flow.resume_reading()
            self.data_received(data)

    def _put_off(self, data: bytes) -> None:
        """Keep what is pipelined until the request before it is answered."""
        self._next += data
        self.flow.pause_reading()
        if len(self._next) > HIGH_WATER_LIMIT:
            self.transport.abort()

    def _write(self, response: Response) -> None:
        self.transport.write(self.wire.of(response, self.server_state.default_headers))
        self.server_state.total_requests += 1
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_in(self.timeout_keep_alive)

    # uvicorn's side

    @property
    def _engaged(self) -> bool:
        """The app is at a request."""
        return bool(self.cycle) and not self.cycle.response_complete

    def on_message_begin(self) -> None:
        self._amid = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._amid = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def _unset_keepalive_if_required(self) -> None:
        if not self.flow.write_paused:
            super()._unset_keepalive_if_required()

    def _look_in(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection whose client takes nothing of an answer for so long, or asks nothing.

        One timer sees to many answers: what came after it was set is found out when it goes off.
        """
        self.timeout_keep_alive_task = None
        seen_before, self._seen = self._seen, (self.transport.get_write_buffer_size(), self._idle_since)
        unread, _ = self._seen
        left_s = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if unread and self._seen == seen_before:
            self.transport.abort()
        elif unread:
            self._look_in(self.timeout_keep_alive)
        elif left_s > 0:
            self._look_in(left_s)
        elif not (self._crowd or self._engaged):
            super().timeout_keep_alive_handler()

    def shutdown(self) -> None:
        if self._crowd:
            self.fan_out.leave(self, self._crowd)
            answer = unavailable("the origin stops")
            answer.headers["Connection"] = "close"
            self.answer(answer)
        super().shutdown()


def live_http(edge: LiveEdge, private: PrivateStreams) -> type[LiveHttp]:
    """uvicorn's `http` for the app of this edge. Streams that are `private` are left to the app, and so to its gate."""

    class Bound(LiveHttp):
        pass

    Bound.edge, Bound.fan_out, Bound.private, Bound.wire = edge, FanOut(edge), private, Wire()
    return Bound

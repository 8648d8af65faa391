"""The WebSocket door (RFC 6455): `/ws` speaks JSON, `/` and `/irc`, or the subprotocol `irc`, speak IRC.

The handshake and the frames are the `websockets` library's sans-I/O protocol. What rooms send goes past it to the
transport, framed once for all; permessage-deflate would need a framing for each, and is not offered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import SEND_EOF, State
from websockets.server import ServerProtocol
from websockets.typing import Origin, Subprotocol

from query_api.chat.connection import Connection, turned_away
from query_api.chat.guest import POLICY_VIOLATION, Guest
from query_api.chat.house import House
from query_api.chat.irc.guest import IrcGuest
from query_api.chat.json_guest import SocketGuest
from query_api.chat.keeper import Keeper
from query_api.chat.refusal import Refused

IRC = Subprotocol("irc")
PATHS = {"/ws": SocketGuest, "/": IrcGuest, "/irc": IrcGuest}

Page = Callable[[Request], tuple[int, str, bytes]]
"""What a plain GET gets: status, media type, body."""


@dataclass(frozen=True, slots=True)
class Doorway:
    """What all WebSocket connections share. `origins` are those of pages that may connect; None is any.

    `proxies` are the addresses whose `X-Forwarded-For` is believed.
    """

    house: House
    keeper: Keeper
    page: Page
    origins: Sequence[Origin | None] | None
    proxies: frozenset[str] = frozenset()


class WebSocketConnection(Connection):
    def __init__(self, doorway: Doorway) -> None:
        super().__init__(doorway.house, doorway.keeper)
        self._doorway = doorway
        self._refused: Refused | None = None
        self._message = bytearray()
        self._protocol = ServerProtocol(
            origins=doorway.origins,
            max_size=doorway.house.limits.frame,
            select_subprotocol=_select,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.address not in self._doorway.proxies:
            self._refused = turned_away(self, self.address)

    def data_received(self, data: bytes) -> None:
        for piece in self._pieces(data):
            self._protocol.receive_data(piece)
            events = self._protocol.events_received()
            self._flush()
            if not self.heard(len(events)):
                self.end(POLICY_VIOLATION, "you send more than anybody needs to")
                return
            for event in events:
                if isinstance(event, Request):
                    self._open(event)
                elif isinstance(event, Frame):
                    self._take(event)

    def eof_received(self) -> bool:
        self._protocol.receive_eof()
        self._flush()
        return False

    def end(self, code: int, why: str) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.fail(code, why[:120])
            self._flush()

    def ping(self) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_ping(b"")
            self._flush()

    def _open(self, request: Request) -> None:
        path, _, query = request.path.partition("?")
        if "upgrade" not in ",".join(request.headers.get_all("Connection")).lower():
            self._answer(*self._doorway.page(request))
            return
        if self._network is None and self._refused is None:
            self._refused = turned_away(self, _forwarded(request) or self.address)
        if self._refused is not None:
            status = HTTPStatus.TOO_MANY_REQUESTS if self._refused.code == "too_many_connections" else 503
            self._answer(status, "text/plain", self._refused.text.encode(), self._refused.retry_after_s)
        elif path not in PATHS:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There is /ws for JSON, and / or /irc for IRC.")
        elif query:
            self._answer(HTTPStatus.BAD_REQUEST, "text/plain", b"Nothing is read from the URL: a token goes in a frame")
        else:
            response = self._protocol.accept(request)
            self._protocol.send_response(response)
            self._flush()
            if self._protocol.state is State.OPEN:
                self.guest = self._guest(path)

    def _guest(self, path: str) -> Guest:
        kind = IrcGuest if self._protocol.subprotocol == IRC else PATHS[path]
        if kind is IrcGuest:
            return IrcGuest(self.house, self._network or "", self._write, self.end, framed=True)
        return SocketGuest(self.house, self._network or "", self._write, self.end)

    @property
    def _write(self) -> Callable[[bytes], None]:
        assert self._transport is not None  # noqa: S101  # since it was made
        return self._transport.write

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.BINARY:
            self.end(CloseCode.UNSUPPORTED_DATA, "frames are text")
        elif frame.opcode is Opcode.TEXT or frame.opcode is Opcode.CONT:
            self._message += frame.data
            if frame.fin:
                whole, self._message = self._message, bytearray()
                self._take_text(whole)

    def _take_text(self, payload: bytes | bytearray) -> None:
        try:
            text = payload.decode()
        except UnicodeDecodeError as error:
            self.end(CloseCode.INVALID_DATA, f"not UTF-8 at byte {error.start}")
            return
        if self.guest is not None:
            self.guest.receive(text)

    def _answer(self, status: int, media_type: str, body: bytes, retry_after_s: float | None = None) -> None:
        response: Response = self._protocol.reject(HTTPStatus(status), "")
        del response.headers["Content-Length"], response.headers["Content-Type"]
        response.headers["Content-Length"] = str(len(body))
        response.headers["Content-Type"] = media_type
        response.headers["X-Content-Type-Options"] = "nosniff"
        if retry_after_s is not None:
            response.headers["Retry-After"] = str(int(retry_after_s))
        response.body = body
        self._protocol.send_response(response)
        self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data == SEND_EOF:
                self._ended()
            else:
                self.send(data)
        if self._protocol.state is State.CLOSING or self._protocol.state is State.CLOSED:
            self._leave()


def _select(protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return IRC if IRC in offered else None


def _forwarded(request: Request) -> str:
    """The address that the nearest proxy saw."""
    return ", ".join(request.headers.get_all("X-Forwarded-For")).rpartition(",")[2].strip()

"""A chat client that remembers what it was told, over any number of connections, and comes back with its cursors."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

REST_S = 0.1
"""Before it tries to connect again."""


class Line(asyncio.Protocol):
    """One connection. `told` gets each frame and the Unix time at which it had come."""

    def __init__(self, url: str, told: Callable[[dict[str, Any], float], None]) -> None:
        self._told = told
        self._protocol = ClientProtocol(parse_uri(url), max_size=None)
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self._protocol.receive_data(data)
        events = self._protocol.events_received()
        self._flush()
        for event in events:
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._told(json.loads(bytes(event.data)), now)
            elif isinstance(event, Response) and self._protocol.handshake_exc is None:
                self.opened.set_result(None)

    def eof_received(self) -> bool:
        self._protocol.receive_eof()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if not self.lost.done():  # else nobody waits any more
            self.lost.set_result(None)

    def write(self, payload: bytes) -> None:
        if self._transport is not None and self._protocol.state is State.OPEN:
            self._protocol.send_text(payload)
            self._flush()

    def cut(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.writelines(data for data in self._protocol.data_to_send() if data)


class Visitor:
    """In some rooms; with a token it may speak. `heard` are the ids of the messages that each room told it, in order.

    `on_message` and `on_accepted` are called with the frame and the Unix time at which it came.
    """

    def __init__(self, urls: Sequence[str], rooms: Sequence[str], token: str, dice: random.Random) -> None:
        self.heard: dict[str, list[str]] = {room: [] for room in rooms}
        self.refused: Counter[str] = Counter()
        self.troubles: Counter[str] = Counter()
        self.away_s: list[float] = []
        """How long each absence took, until it was in all its rooms again."""
        self.present = asyncio.Event()
        self.unanswered: dict[str, bytes] = {}
        self.on_message: Callable[[dict[str, Any], float], None] | None = None
        self.on_accepted: Callable[[dict[str, Any], float], None] | None = None
        self._urls = list(urls)
        self._token = {"token": token} if token else {}
        self._dice = dice
        self._cursors: dict[str, str] = {}
        self._joined: set[str] = set()
        self._line: Line | None = None
        self._left_at = time.monotonic()
        self._takers = {
            "joined": self._take_joined,
            "message": self._take_message,
            "accepted": self._take_accepted,
            "error": self._take_error,
        }

    async def stay(self) -> None:
        """Connected, or about to be, until cancelled: first to the first URL, later to any."""
        url = self._urls[0]
        while True:
            try:
                await self._visit(url)
            except OSError as error:
                self.troubles[type(error).__name__] += 1
            if self.present.is_set():
                self.present.clear()
                self._left_at = time.monotonic()
            await asyncio.sleep(REST_S)
            url = self._dice.choice(self._urls)

    def say(self, room: str, text: str, client_id: str) -> bool:
        """Whether it could be said at once. What could not is said when the visitor is back."""
        frame = {"type": "message", "room_id": room, "content": text, "id": client_id}
        payload = self.unanswered[client_id] = json.dumps(frame).encode()
        if self.present.is_set() and self._line is not None:
            self._line.write(payload)
            return True
        return False

    async def _visit(self, url: str) -> None:
        """Raises OSError."""
        place = urlsplit(url)
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(lambda: Line(url, self._take), place.hostname or "", place.port or 0)
        self._line = line
        self._joined.clear()
        try:
            await asyncio.wait([line.opened, line.lost], return_when=asyncio.FIRST_COMPLETED)
            for room in self.heard:
                after = {"after": self._cursors[room]} if room in self._cursors else {}
                line.write(json.dumps({"type": "join", "room_id": room, **self._token, **after}).encode())
            await line.lost
        finally:
            line.cut()

    def _take(self, frame: dict[str, Any], now: float) -> None:
        take = self._takers.get(frame["type"])
        if take is not None:
            take(frame, now)
        if "cursor" in frame:
            self._cursors[frame["room_id"]] = frame["cursor"]

    def _take_joined(self, frame: dict[str, Any], _: float) -> None:
        self._joined.add(frame["room_id"])
        if len(self._joined) == len(self.heard) and self._line is not None:
            self.present.set()
            self.away_s.append(time.monotonic() - self._left_at)
            for payload in self.unanswered.values():
                self._line.write(payload)

    def _take_message(self, frame: dict[str, Any], now: float) -> None:
        self.heard[frame["room_id"]].append(frame["id"])
        if self.on_message is not None:
            self.on_message(frame, now)

    def _take_accepted(self, frame: dict[str, Any], now: float) -> None:
        if self.unanswered.pop(frame["id"], None) is not None and self.on_accepted is not None:
            self.on_accepted(frame, now)

    def _take_error(self, frame: dict[str, Any], _: float) -> None:
        """What became of a message may not be known, and a room may not be entered now: it tries again."""
        self.troubles[frame["code"]] += 1
        payload = self.unanswered.get(frame.get("id", ""))
        if payload is None:
            if self._line is not None:
                self._line.cut()
        elif frame["code"] == "outcome_unknown" and self._line is not None:
            asyncio.get_running_loop().call_later(frame["retry_after"], self._line.write, payload)
        else:
            self.refused[frame["code"]] += 1
            del self.unanswered[frame["id"]]

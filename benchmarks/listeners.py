"""Chat clients by the thousand: `python -m benchmarks.listeners URL COUNT MESSAGES OPENING...`, on one thread.

Each opens a WebSocket, sends the opening messages and waits for an answer; `ready` is printed when all have one. Then
each must be told every message, once and in order: a message holds `§number nanoseconds§` (Unix time). All count them,
every hundredth also reads them. One JSON object on standard output at the end: how many each was told, the numbers in
the order read, latencies in ms, and the moments of the first and the last.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import uvloop
from websockets.frames import Frame, Opcode

from benchmarks.files import raise_limit

MARK = "§".encode()
READERS = 100
"""Of so many one reads what it is told."""

AT_ONCE = 100
PATIENCE_S = 120.0
SETTLE_S = 0.5

_MESSAGE = re.compile(MARK + rb"(\d+) (\d{19})" + MARK)


class Listener(asyncio.Protocol):
    def __init__(self, handshake: bytes, opening: bytes) -> None:
        self._handshake, self._opening = handshake, opening
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self.answered = asyncio.get_running_loop().create_future()
        self.marks = 0
        self._split = False
        self.last_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._handshake)

    def data_received(self, data: bytes) -> None:
        if not self.answered.done():
            self._head += data
            _, separator, rest = self._head.partition(b"\r\n\r\n")
            if rest:
                self.answered.set_result(None)
            elif separator and self._transport is not None:
                self._transport.write(self._opening)
            return
        self.marks += data.count(MARK) + (self._split and data[:1] == MARK[1:])
        self._split = data[-1:] == MARK[:1]
        self.last_at = time.time()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.answered.done():
            self.answered.set_exception(error or ConnectionError(f"refused: {self._head[:200]!r}"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Reader(Listener):
    """Reads each message as well."""

    def __init__(self, handshake: bytes, opening: bytes) -> None:
        super().__init__(handshake, opening)
        self._rest = b""
        self.numbers: list[int] = []
        self.latencies_ms: list[float] = []

    def data_received(self, data: bytes) -> None:
        now_ns = time.time_ns()
        heard = self.answered.done()
        super().data_received(data)
        if not heard:
            return
        self._rest += data
        end = 0
        for match in _MESSAGE.finditer(self._rest):
            self.numbers.append(int(match[1]))
            self.latencies_ms.append((now_ns - int(match[2])) / 1e6)
            end = match.end()
        self._rest = self._rest[end:]


async def listen(url: str, count: int, messages: int, opening: list[str]) -> dict[str, object]:
    place = urlsplit(url)
    handshake = (
        f"GET {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    frames = b"".join(Frame(Opcode.TEXT, text.encode()).serialize(mask=True) for text in opening)
    loop = asyncio.get_running_loop()
    listeners: list[Listener] = []
    while len(listeners) < count:
        made: list[Listener] = []
        for number in range(len(listeners), min(count, len(listeners) + AT_ONCE)):
            kind = Reader if number % READERS == 0 else Listener
            _, listener = await loop.create_connection(
                partial(kind, handshake, frames), place.hostname or "", place.port or 0
            )
            made.append(listener)
        await asyncio.gather(*(listener.answered for listener in made))
        listeners += made
    print("ready", flush=True)
    deadline = time.monotonic() + PATIENCE_S
    while any(listener.marks < 2 * messages for listener in listeners) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    await asyncio.sleep(SETTLE_S)  # for what may come twice
    readers = [listener for listener in listeners if isinstance(listener, Reader)]
    told = [listener.marks // 2 for listener in listeners]
    for listener in listeners:
        listener.close()
    return {
        "told_each": sorted(set(told)),
        "told": sum(told),
        "orders": sorted({tuple(reader.numbers) for reader in readers}),
        "latencies_ms": [round(each, 3) for reader in readers for each in reader.latencies_ms],
        "last_at": max(listener.last_at for listener in listeners),
    }


def main() -> None:
    raise_limit()
    url, count, messages, *opening = sys.argv[1:]
    print(json.dumps(uvloop.run(listen(url, int(count), int(messages), opening))))


if __name__ == "__main__":
    main()

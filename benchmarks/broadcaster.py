"""The `websockets` library's own `broadcast()`: `python -m benchmarks.broadcaster PORT`.

It answers each client's first message. One line on standard input, `MESSAGES RATE PAYLOAD`, makes it say so many a
second, with `<number>` and `<time>` filled in (Unix time, ns); the next line ends it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from benchmarks.files import raise_limit

_connections: set[ServerConnection] = set()


async def _keep(connection: ServerConnection) -> None:
    with suppress(ConnectionClosed):
        async for _ in connection:
            _connections.add(connection)
            await connection.send('{"type":"joined"}')
    _connections.discard(connection)


async def _run(port: int) -> None:
    async with serve(_keep, "127.0.0.1", port, compression=None, ping_interval=None, backlog=1024):
        print("listening", flush=True)
        line = await asyncio.to_thread(sys.stdin.readline)
        messages, rate, payload = line.rstrip("\n").split(" ", 2)
        began = time.monotonic()
        for number in range(int(messages)):
            await asyncio.sleep(max(0.0, began + number / float(rate) - time.monotonic()))
            text = payload.replace("<number>", str(number)).replace("<time>", str(time.time_ns()))
            broadcast(_connections, text)
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    raise_limit()
    uvloop.run(_run(int(sys.argv[1])))

"""The RTMP listener: who may connect, and the clock that ends what takes too long."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress

import structlog

from ingest.bad_keys import BadKeys
from ingest.connection import ConnectionLimits, RtmpConnection
from ingest.desk import Desk, Role
from ingest.pump import Pump
from topology.tls import Certificates, TlsDoor

BACKLOG = 256
SWEEP_S = 1.0

_log = structlog.get_logger(__name__)


class RtmpServer:
    """`connections` and `per_address` bound how many there may be at a time."""

    def __init__(
        self, desk: Desk, *, connections: int = 512, per_address: int = 128, limits: ConnectionLimits | None = None
    ) -> None:
        self.desk = desk
        self.bad_keys = BadKeys()
        self.pump = Pump()
        self.limits = limits or ConnectionLimits()
        self._max_connections = connections
        self._max_per_address = per_address
        self._connections: set[RtmpConnection] = set()
        self._per_address: Counter[str] = Counter()
        self._empty = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._tls_door: TlsDoor | None = None
        self._clocks: list[asyncio.Task[None]] = []

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chooses when `port` is 0."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: RtmpConnection(self), host, port, backlog=BACKLOG)
        self._clocks = [asyncio.create_task(self._sweep()), asyncio.create_task(self.pump.run())]
        bound: int = self._listener.sockets[0].getsockname()[1]
        _log.info("rtmp listens", host=host, port=bound)
        return bound

    def start_tls(self, certificates: Certificates, host: str, port: int) -> int:
        """Listen for RTMPS too, under the same limits; returns the port. Call it after `start`.

        Their transports read by themselves: what the pump reads from a socket would be ciphertext.
        """
        self._tls_door = TlsDoor(certificates, lambda: RtmpConnection(self))
        bound = self._tls_door.open(host, port)
        _log.info("rtmps listens", host=host, port=bound)
        return bound

    async def stop(self, reason: str = "the server is shutting down; connect again in a moment") -> None:
        """Stop listening and end every connection, saying why; publishers may resume their streams."""
        if self._listener is None:
            return
        self._listener.close()
        if self._tls_door is not None:
            await self._tls_door.close()
        for connection in list(self._connections):
            connection.cut("server_stopping", reason)
        if self._connections:
            self._empty.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), self.limits.linger_s + 2 * SWEEP_S)
        for task in [*self._tasks, *self._clocks]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._clocks, return_exceptions=True)

    def admit(self, connection: RtmpConnection) -> str | None:
        self._connections.add(connection)
        self._per_address[connection.address] += 1
        if len(self._connections) > self._max_connections:
            return f"over {self._max_connections} connections"
        if self._per_address[connection.address] > self._max_per_address:
            return f"over {self._max_per_address} connections from one address"
        return None

    def leave(self, connection: RtmpConnection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()
        self._per_address[connection.address] -= 1
        if not self._per_address[connection.address]:
            del self._per_address[connection.address]

    def spawn(self, connection: RtmpConnection, key: str, role: Role) -> None:
        task = asyncio.create_task(connection.ask(key, role))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            now = time.monotonic()
            for connection in list(self._connections):
                try:
                    connection.check(now)
                except Exception:
                    _log.exception("a connection could not be checked", session_id=connection.session_id)

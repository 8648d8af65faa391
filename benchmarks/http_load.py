"""Many HTTP/1.1 connections on one epoll: as little work as Python allows, so that the server is the limit."""

from __future__ import annotations

import re
import select
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

HOST = "127.0.0.1"
_BUFFER = 1 << 18
_HEAD = re.compile(rb"HTTP/1\.1 (\d+).*?content-length: (\d+).*?\r\n\r\n", re.IGNORECASE | re.DOTALL)
_WAKE_S = 0.05


class Connection:
    """Kept alive, one request at a time. `answered` gets each answer's status, and its body if `keeps_body`."""

    __slots__ = ("_answered", "_body", "_head", "_keeps_body", "_left", "_status", "busy", "socket")

    def __init__(self, port: int, answered: Callable[[int, bytes], None], keeps_body: bool) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.busy = False
        self._answered = answered
        self._keeps_body = keeps_body
        self._status = self._left = 0
        self._head = self._body = b""

    def ask(self, request: bytes) -> None:
        self.busy = True
        self.socket.send(request)

    def read(self, buffer: bytearray) -> None:
        """Take what arrived. Raises RuntimeError when the server hangs up."""
        size = self.socket.recv_into(buffer)
        if not size:
            raise RuntimeError("the server closed a connection")
        start = 0
        if not self._status:
            begun = len(self._head)
            head = _HEAD.match(self._head + buffer[:size] if begun else buffer, 0, begun + size)
            if head is None:
                self._head += buffer[:size]
                return
            self._status, self._left = int(head[1]), int(head[2])
            start = head.end() - begun
        self._left -= size - start
        if self._keeps_body:
            self._body += buffer[start:size]
        if self._left <= 0:
            status, body = self._status, self._body
            self._status, self._head, self._body, self.busy = 0, b"", b"", False
            self._answered(status, body)


class Load:
    """Runs until the monotonic clock says `end`; what happens from `begin` on is counted."""

    def __init__(self, begin: float, end: float) -> None:
        self.begin, self.end = begin, end
        self.answers: Counter[str] = Counter()
        """By what was asked, such as `part`, with the status when it is not 200: `part 404`."""
        self._poll = select.epoll()
        self._connections: dict[int, Connection] = {}

    def connect(self, port: int, answered: Callable[[int, bytes], None], *, keeps_body: bool = False) -> Connection:
        connection = Connection(port, answered, keeps_body)
        self._connections[connection.socket.fileno()] = connection
        self._poll.register(connection.socket, select.EPOLLIN)
        return connection

    def count(self, what: str, status: int) -> float:
        """Count an answer; returns the moment."""
        now = time.monotonic()
        if now >= self.begin:
            self.answers[what if status == 200 else f"{what} {status}"] += 1
        return now

    def run(self, tick: Callable[[float], None] | None = None) -> dict[str, Any]:
        """`tick` is called about once a millisecond or slower. Raises RuntimeError when the start came too late."""
        if time.monotonic() > self.begin:
            raise RuntimeError("the load was not ready in time")
        buffer, cpu_s = bytearray(_BUFFER), 0.0
        counting = False
        while (now := time.monotonic()) < self.end:
            if not counting and now >= self.begin:
                counting, cpu_s = True, time.process_time()
            if tick:
                tick(now)
            for descriptor, _ in self._poll.poll(0.001 if tick else _WAKE_S):
                self._connections[descriptor].read(buffer)
        return {"answers": dict(self.answers), "cpu_s": time.process_time() - cpu_s}

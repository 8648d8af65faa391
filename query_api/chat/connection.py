"""One connection's transport: counted, read within limits, cut when its peer does not read, and ended with a reason."""

from __future__ import annotations

import asyncio
import socket
import time
from abc import abstractmethod
from collections.abc import Iterator
from typing import cast

import structlog

from query_api.chat.guest import POLICY_VIOLATION, Guest
from query_api.chat.house import House
from query_api.chat.keeper import Keeper
from query_api.chat.refusal import Refused

PIECE = 4096
"""Bytes taken at once: one read may hold tens of thousands of tiny frames, and limits are looked at between."""

LONGEST_REST_S = 5.0
"""How long a connection is not read at most, whose address sends too much."""

log = structlog.get_logger(__name__)


class Connection(asyncio.Protocol):
    """`guest` is there once the connection is open."""

    def __init__(self, house: House, keeper: Keeper) -> None:
        self.house = house
        self.guest: Guest | None = None
        self.address = ""
        self._keeper = keeper
        self._transport: asyncio.Transport | None = None
        self._network: str | None = None
        self._opened_at = self._heard_at = time.monotonic()
        self._heard = 0
        self._ending_at: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=self.house.limits.unread)
        own = transport.get_extra_info("socket")
        if own is not None:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.house.limits.kernel_buffer)
        peer = transport.get_extra_info("peername")
        self.address = peer[0] if peer else "unknown"
        self._keeper.add(self)
        if len(self._keeper) - self.house.admission.connections > self.house.limits.strangers:
            self.cut("there are too many that did not open")

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._leave()
        self._keeper.remove(self)
        self._depart()

    def pause_writing(self) -> None:
        # Not at once: it is a room that writes, and must not find its members changed meanwhile.
        asyncio.get_running_loop().call_soon(self.cut, "it does not read what it is sent")

    def eof_received(self) -> bool:
        return False

    def check(self, now: float) -> None:
        """Called every few seconds: end what takes too long."""
        limits = self.house.limits
        self._heard = 0
        if self.guest is not None:
            self.guest.reconsider()
        if self._ending_at is not None:
            if now - self._ending_at > limits.linger_s:
                self.cut("it did not close")
        elif self.guest is None:
            if now - self._opened_at > limits.opening_s:
                self.cut("it did not open in time")
        elif self.guest.expired():
            self.guest.session_ended()
        elif now - self._heard_at > limits.silence_s:
            self.end(POLICY_VIOLATION, "you do not answer pings")
        elif not self.guest.rooms and now - self._opened_at > limits.joinless_s:
            self.end(POLICY_VIOLATION, "you have joined no room")
        elif now - self._heard_at > limits.ping_s:
            self.ping()

    def heard(self, count: int) -> bool:
        """That many frames or lines came; whether that is not too often."""
        self._heard_at = time.monotonic()
        self._heard += count
        rest_s = self.house.admission.hear(self._network, count, self._heard_at) if self._network is not None else 0.0
        if rest_s:
            self._rest(min(rest_s, LONGEST_REST_S))
        return self._heard <= self.house.limits.received_per_check

    def admit(self, address: str) -> str:
        """Count it, and return what it counts for. Raises Refused."""
        self.address = address
        if self._ending_at is not None:
            raise Refused("overloaded", "there are too many connections; try again later", 5.0)
        self._network = self.house.admission.arrive(address, self._opened_at)
        return self._network

    def cut(self, why: str) -> None:
        """Without a word."""
        if self._transport is not None:
            if self._ending_at is None:
                log.info("connection cut", address=self.address, why=why)
            self._ending_at = self._ending_at or time.monotonic()
            self._leave()
            self._transport.abort()

    def send(self, data: bytes) -> None:
        if self._transport is not None and self._ending_at is None:
            self._transport.write(data)

    @abstractmethod
    def end(self, code: int, why: str) -> None:
        """With a word."""

    @abstractmethod
    def ping(self) -> None:
        """Ask the peer to say something."""

    def _ended(self) -> None:
        """Nothing more will be said; what the peer still sends is not read, so that it can read our last word."""
        self._ending_at = self._ending_at or time.monotonic()
        self._leave()
        if self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()
        elif self._transport is not None:
            self._transport.close()

    def _depart(self) -> None:
        """It counts no more."""
        network, self._network = self._network, None
        if network is not None:
            self.house.admission.depart(network)

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        """What was read, as long as there is somebody to take it."""
        for start in range(0, len(data), PIECE):
            if self._ending_at is None:
                yield data[start : start + PIECE]

    def _rest(self, rest_s: float) -> None:
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(rest_s, self._go_on)

    def _go_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _leave(self) -> None:
        guest, self.guest = self.guest, None
        if guest is not None:
            guest.left()


def turned_away(connection: Connection, address: str) -> Refused | None:
    """Why a connection is one too many, if it is."""
    try:
        connection.admit(address)
    except Refused as refused:
        return refused
    return None

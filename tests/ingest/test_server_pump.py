"""Reading by the tick: everything arrives, ends are noticed, and a fault stays with its connection."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest_asyncio

from ingest.pump import READ_SIZE, Pump


class Sink:
    """Keeps what a connection would be told."""

    def __init__(self, fails: bool = False) -> None:
        self.data = bytearray()
        self.ended: list[tuple[str, str]] = []
        self.changed = asyncio.Event()
        self._fails = fails

    def data_received(self, data: bytes) -> None:
        if self._fails:
            raise RuntimeError("of the test")
        self.data += data
        self.changed.set()

    def abort(self, code: str, reason: str) -> None:
        self.ended.append((code, reason))
        self.changed.set()


@pytest_asyncio.fixture
async def pump() -> AsyncIterator[Pump]:
    running = Pump()
    task = asyncio.create_task(running.run())
    yield running
    task.cancel()


def pair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    return ours, theirs


async def eventually(sink: Sink, pump: Pump, *, size: int = 0) -> None:
    async with asyncio.timeout(20):
        while len(sink.data) < size or (not size and not sink.ended):
            await sink.changed.wait()
            sink.changed.clear()
    pump.remove(sink)


async def test_more_than_one_read_holds_arrives_in_order(pump: Pump) -> None:
    ours, theirs = pair()
    sent = bytes(range(256)) * (READ_SIZE // 64)
    with ours, theirs:
        pump.add(sink := Sink(), ours.fileno())
        await asyncio.to_thread(theirs.sendall, sent)
        await eventually(sink, pump, size=len(sent))
    assert sink.data == sent
    assert sink.ended == []


async def test_a_peer_that_closes_is_noticed(pump: Pump) -> None:
    ours, theirs = pair()
    with ours:
        pump.add(sink := Sink(), ours.fileno())
        theirs.close()
        await eventually(sink, pump)
    assert sink.ended[0] == ("connection_lost", "the peer closed the connection")


async def test_a_broken_socket_is_noticed(pump: Pump) -> None:
    ours, theirs = pair()
    pump.add(sink := Sink(), ours.fileno())
    ours.close()
    await eventually(sink, pump)
    theirs.close()
    assert sink.ended[0][0] == "connection_lost"


async def test_a_fault_ends_its_own_connection_only(pump: Pump) -> None:
    (ours, theirs), (other, peer) = pair(), pair()
    with ours, theirs, other, peer:
        pump.add(bad := Sink(fails=True), ours.fileno())
        pump.add(good := Sink(), other.fileno())
        theirs.sendall(b"bad")
        await eventually(bad, pump)
        peer.sendall(b"good")
        await eventually(good, pump, size=4)
    assert bad.ended[0][0] == "internal_error"
    assert good.ended == []

"""The RTMP handshake (RTMP 1.0 §5.2): C0 C1 → S0 S1 S2 → C2.

Clients that sign C1 with a digest (FFmpeg, Flash) take the plain answer too: an S1 whose version field is zero
tells them that nothing is signed. Their C2 is then no echo, so C2 is counted and not compared.
"""

from __future__ import annotations

from ingest.rtmp.errors import RtmpError

VERSION = 3
SIZE = 1536
"""Bytes of C1, C2, S1 and S2."""

RANDOM_SIZE = SIZE - 8


class ServerHandshake:
    """Feed bytes until `finished`; `rest` is then what followed the handshake."""

    def __init__(self, random: bytes) -> None:
        self.finished = False
        self.rest = b""
        self._own = bytes(8) + random
        self._buffer = bytearray()
        self._answered = False

    def receive_data(self, data: bytes) -> bytes:
        """The bytes to answer with. Raises RtmpError when the peer does not speak RTMP."""
        self._buffer += data
        if self._buffer and self._buffer[0] != VERSION:
            raise RtmpError("not_rtmp", f"the first byte is {self._buffer[0]}, not RTMP version {VERSION}")
        answer = b""
        if not self._answered and len(self._buffer) > SIZE:
            self._answered = True
            answer = bytes([VERSION]) + self._own + bytes(self._buffer[1 : 1 + SIZE])
        if len(self._buffer) > 2 * SIZE:
            self.finished = True
            self.rest = bytes(self._buffer[1 + 2 * SIZE :])
            self._buffer.clear()
        return answer


class ClientHandshake:
    """The other side: send `opening`, feed the answer, send what comes back, until `finished`."""

    def __init__(self, random: bytes) -> None:
        self.finished = False
        self.rest = b""
        self.opening = bytes([VERSION]) + bytes(8) + random
        self._buffer = bytearray()

    def receive_data(self, data: bytes) -> bytes:
        """C2, once S0, S1 and S2 are complete. Raises RtmpError when the peer does not speak RTMP."""
        self._buffer += data
        if self._buffer and self._buffer[0] != VERSION:
            raise RtmpError("not_rtmp", f"the first byte is {self._buffer[0]}, not RTMP version {VERSION}")
        if len(self._buffer) <= 2 * SIZE:
            return b""
        self.finished = True
        self.rest = bytes(self._buffer[1 + 2 * SIZE :])
        return bytes(self._buffer[1 : 1 + SIZE])

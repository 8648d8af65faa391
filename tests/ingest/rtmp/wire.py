"""An encoder's side of the chunk stream, with the header compression and the habits of real ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.rtmp.messages import Message


@dataclass
class PeerWriter:
    """Writes the shortest header that FFmpeg's rules allow. `repeats` is whether type 3 chunks repeat an extended
    timestamp.
    """

    repeats: bool = True
    chunk_size: int = 128
    _last: dict[int, tuple[Message, int]] = field(default_factory=dict)
    """Message and timestamp field last sent, by chunk stream."""

    def write(self, number: int, message: Message) -> bytes:
        kind, time = self._choose(number, message)
        extended = time.to_bytes(4, "big") if time >= 0xFFFFFF else b""
        out = bytearray(basic_header(kind, number))
        if kind < 3:
            out += min(time, 0xFFFFFF).to_bytes(3, "big")
        if kind < 2:
            out += len(message.payload).to_bytes(3, "big") + bytes([message.type_id])
        if kind == 0:
            out += message.stream_id.to_bytes(4, "little")
        if kind < 3 or self.repeats:
            out += extended
        for start in range(0, max(len(message.payload), 1), self.chunk_size):
            if start:
                out += basic_header(3, number) + (extended if self.repeats else b"")
            out += message.payload[start : start + self.chunk_size]
        self._last[number] = (message, time)
        return bytes(out)

    def _choose(self, number: int, message: Message) -> tuple[int, int]:
        last, last_time = self._last.get(number, (None, 0))
        if last is None or last.stream_id != message.stream_id or message.timestamp < last.timestamp:
            return 0, message.timestamp & 0xFFFFFFFF
        delta = message.timestamp - last.timestamp
        if (last.type_id, len(last.payload)) != (message.type_id, len(message.payload)):
            return 1, delta
        return (3 if delta == last_time else 2), delta


def basic_header(kind: int, number: int) -> bytes:
    if number < 64:
        return bytes([kind << 6 | number])
    if number < 320:
        return bytes([kind << 6, number - 64])
    return bytes([kind << 6 | 1]) + (number - 64).to_bytes(2, "little")

"""Chunks to messages (RTMP 1.0 §5.3). The hot path of ingest: a message costs the same in 1 chunk or in 100.

Rules that the specification leaves open or that peers break:
- A type 3 chunk that opens a message repeats the last timestamp delta; after a type 0 header that is its timestamp.
- With an extended timestamp some peers repeat it in type 3 chunks and some do not: four bytes equal to it are skipped.
- A chunk stream may begin with type 1, as librtmp's does: its timestamp then counts from zero.
- Timestamps are 32 bits: each is taken as the one nearest to the last media timestamp, so they run past the wrap.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.rtmp.errors import RtmpError
from ingest.rtmp.limits import Limits
from ingest.rtmp.messages import ABORT, AUDIO, SET_CHUNK_SIZE, VIDEO, Message, read_ulong

DEFAULT_CHUNK_SIZE = 128
_EXTENDED = 0xFFFFFF
_WRAP = 1 << 32
_HALF = 1 << 31
_HEADER_SIZES = (11, 7, 3)
_TIME_SHIFTS = (64, 32, 0)
"""Bits behind the timestamp in headers of type 0, 1 and 2."""
_INCOMPLETE = -1
_MEDIA = frozenset({AUDIO, VIDEO})


@dataclass(slots=True)
class _ChunkStream:
    marker: bytes
    """The type 3 header that fits in one byte; empty where none does."""
    timestamp: int = 0
    delta: int = 0
    length: int = 0
    type_id: int = 0
    message_stream: int = 0
    missing: int = 0
    """Payload bytes still to come of the message under way; 0 between messages."""
    extended: bytes = b""
    repeat: bytes = b""
    """The marker, unless an extended timestamp makes following headers longer."""
    buffer: bytearray = field(default_factory=bytearray)


class ChunkReader:
    """Feed bytes in any split; whole messages come out. SetChunkSize and Abort are obeyed on the way."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._chunk_size = DEFAULT_CHUNK_SIZE
        self._streams: dict[int, _ChunkStream] = {}
        self._rest = b""
        self._current: _ChunkStream | None = None
        self._left = 0
        """Payload bytes still to come of the current chunk."""
        self._payload_at = 0
        """Where in the data being fed the payload behind the last header begins."""
        self._buffered = 0
        self._media_time: int | None = None

    def feed(self, data: bytes, messages: list[Message]) -> None:
        """Append each message that `data` completes. Raises RtmpError; the messages before the fault are there."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        position, end = 0, len(data)
        while True:
            stream = self._current
            if stream is None:
                position = self._whole_messages(data, position, end, messages)
                if position == end:
                    return
                stream = self._header(data, position, end)
                if stream is None:
                    self._rest = data[position:]
                    return
                position = self._payload_at
            position = self._payload(stream, data, position, end, messages)
            if position == end and self._current is not None:
                return

    def _whole_messages(self, data: bytes, position: int, end: int, messages: list[Message]) -> int:
        """Take the messages that are completely here and in the form that media has nearly always: a type 0 or 1 header
        on a known chunk stream, no extended timestamp, chunks back to back. Stops before any other, having changed
        nothing for it.
        """
        size, streams = self._chunk_size, self._streams
        while position + 12 <= end:
            first = data[position]
            stream = streams.get(first & 0x3F)
            if stream is None or stream.missing or first >= 0x80:
                break
            fields = int.from_bytes(data[position + 1 : position + 8], "big")
            length, type_id = fields >> 8 & 0xFFFFFF, fields & 0xFF
            body = position + (12 if first < 0x40 else 8)
            following = (length - 1) // size if length else 0
            after = body + length + following
            time = fields >> 32
            if after > end or time == _EXTENDED or type_id not in _MEDIA or length > self._limits.max_message:
                break
            if following:
                if data[body + size : after : size + 1] != stream.marker * following:
                    break
                run = bytearray(data[body:after])
                del run[size :: size + 1]
                payload = bytes(run)
            else:
                payload = data[body:after]
            stream.extended, stream.repeat, stream.delta = b"", stream.marker, time
            stream.length, stream.type_id = length, type_id
            if first < 0x40:
                stream.message_stream = int.from_bytes(data[position + 8 : position + 12], "little")
                stream.timestamp = timestamp = self._unwrap(time)
            else:
                stream.timestamp = timestamp = stream.timestamp + time
            self._media_time = timestamp
            messages.append(Message(type_id, timestamp, stream.message_stream, payload))
            position = after
        return position

    def _payload(self, stream: _ChunkStream, data: bytes, position: int, end: int, messages: list[Message]) -> int:
        """Take what is there of the current chunk and of the chunks that follow it back to back."""
        left, available, missing = self._left, end - position, stream.missing
        if available < left:
            self._keep(stream, data[position:])
            self._left = left - available
            return end
        after = position + left
        body: bytes | bytearray = data[position:after]
        rest, repeat = missing - left, stream.repeat
        if rest and repeat:
            # Whole chunks that follow, each a one-byte header and chunk_size of payload, the last maybe shorter.
            step = self._chunk_size + 1
            count = -(-rest // self._chunk_size)
            if available - left < rest + count:
                count = (available - left) // step
                span = count * step
            else:
                span = rest + count
            if count and data[after : after + span : step] == repeat * count:
                run = bytearray(data[position : after + span])
                del run[left::step]
                body = run
                after += span
        self._current = None
        if len(body) < missing:
            self._keep(stream, body)
            return after
        if stream.buffer:
            self._buffered -= len(stream.buffer)
            stream.buffer += body
            body, stream.buffer = stream.buffer, bytearray()
        stream.missing = 0
        self._finish(Message(stream.type_id, stream.timestamp, stream.message_stream, bytes(body)), messages)
        return after

    def _keep(self, stream: _ChunkStream, part: bytes | bytearray) -> None:
        self._buffered += len(part)
        if self._buffered > self._limits.max_buffered:
            raise RtmpError("too_much_buffered", f"{self._buffered} bytes of unfinished messages")
        stream.buffer += part
        stream.missing -= len(part)

    def _finish(self, message: Message, messages: list[Message]) -> None:
        if message.type_id == SET_CHUNK_SIZE:
            self._set_chunk_size(read_ulong(message))
        elif message.type_id == ABORT:
            self._abort(read_ulong(message))
        else:
            messages.append(message)

    def _header(self, data: bytes, position: int, end: int) -> _ChunkStream | None:
        """Open the chunk at `position`; None, with nothing changed, while its header is incomplete."""
        first = data[position]
        kind, number, cursor = first >> 6, first & 0x3F, position + 1
        if number < 2:
            if cursor + number >= end:
                return None
            wide = number
            number = 64 + data[cursor] + (data[cursor + 1] << 8 if wide else 0)
            cursor += 1 + wide
        stream = self._streams.get(number)
        if kind == 3:
            after = self._continue(stream, number, data, cursor, end)
        else:
            after = self._announce(stream, number, kind, data, cursor, end)
        if after == _INCOMPLETE:
            return None
        stream = self._current = stream or self._streams[number]
        missing, size = stream.missing, self._chunk_size
        self._left = missing if missing < size else size
        self._payload_at = after
        return stream

    def _continue(self, stream: _ChunkStream | None, number: int, data: bytes, after: int, end: int) -> int:
        """A type 3 header: more of the message under way, or a message that has the last one's header."""
        if stream is None:
            raise RtmpError("bad_chunk", f"chunk stream {number} begins with a type 3 header")
        if stream.extended:
            after = _skip_repeated(stream.extended, data, after, end)
        if after != _INCOMPLETE and not stream.missing:
            self._open(stream, stream.timestamp + stream.delta)
        return after

    def _announce(self, stream: _ChunkStream | None, number: int, kind: int, data: bytes, cursor: int, end: int) -> int:
        """A header of type 0, 1 or 2, which always opens a message."""
        after = cursor + _HEADER_SIZES[kind]
        if after > end:
            return _INCOMPLETE
        fields = int.from_bytes(data[cursor:after], "big")
        time = fields >> _TIME_SHIFTS[kind]
        extended = b""
        if time == _EXTENDED:
            if after + 4 > end:
                return _INCOMPLETE
            extended = data[after : after + 4]
            after += 4
            time = int.from_bytes(extended, "big")
        if stream is None:
            stream = self._add(number, kind)
        elif stream.missing:
            raise RtmpError("bad_chunk", f"a new header on chunk stream {number} within a message")
        stream.extended = extended
        stream.repeat = b"" if extended else stream.marker
        if kind == 0:
            stream.message_stream = int.from_bytes((fields & 0xFFFFFFFF).to_bytes(4, "little"), "big")
            fields >>= 32
        if kind != 2:
            stream.type_id = fields & 0xFF
            stream.length = length = fields >> 8 & 0xFFFFFF
            if length > self._limits.max_message:
                raise RtmpError("message_too_large", f"a message of {length} bytes was announced")
        if kind == 0:
            stream.delta = time
            self._open(stream, self._unwrap(time))
        else:
            stream.delta = time if time < _HALF else time - _WRAP
            self._open(stream, stream.timestamp + stream.delta)
        return after

    def _open(self, stream: _ChunkStream, timestamp: int) -> None:
        stream.timestamp = timestamp
        stream.missing = stream.length
        if stream.type_id in _MEDIA:
            self._media_time = timestamp

    def _unwrap(self, timestamp: int) -> int:
        if self._media_time is None:
            return timestamp
        ahead = (timestamp - self._media_time) & (_WRAP - 1)
        return self._media_time + (ahead if ahead < _HALF else ahead - _WRAP)

    def _add(self, number: int, kind: int) -> _ChunkStream:
        if kind == 2:
            raise RtmpError("bad_chunk", f"chunk stream {number} begins with a type 2 header")
        if len(self._streams) >= self._limits.max_chunk_streams:
            raise RtmpError("too_many_chunk_streams", f"more than {self._limits.max_chunk_streams} chunk streams")
        stream = self._streams[number] = _ChunkStream(bytes([0xC0 | number]) if number < 64 else b"")
        return stream

    def _set_chunk_size(self, size: int) -> None:
        if not self._limits.min_chunk <= size <= self._limits.max_chunk:
            raise RtmpError(
                "bad_chunk_size",
                f"chunk size {size}; {self._limits.min_chunk} to {self._limits.max_chunk} bytes are taken",
            )
        self._chunk_size = size

    def _abort(self, number: int) -> None:
        stream = self._streams.get(number)
        if stream is not None and stream.missing:
            self._buffered -= len(stream.buffer)
            stream.buffer = bytearray()
            stream.missing = 0


def _skip_repeated(extended: bytes, data: bytes, position: int, end: int) -> int:
    """Past a repeated extended timestamp, if one is there; _INCOMPLETE while that cannot be told."""
    seen = data[position : position + 4]
    if seen == extended:
        return position + 4
    return _INCOMPLETE if position + 4 > end and extended.startswith(seen) else position

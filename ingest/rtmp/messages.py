"""RTMP messages (RTMP 1.0 §5.4, §6, §7): their types, and the bytes of those that we send."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from ingest.rtmp import amf0
from ingest.rtmp.errors import RtmpError

SET_CHUNK_SIZE, ABORT, ACKNOWLEDGEMENT, USER_CONTROL, WINDOW_SIZE, PEER_BANDWIDTH = 1, 2, 3, 4, 5, 6
AUDIO, VIDEO = 8, 9
DATA_AMF3, COMMAND_AMF3, DATA, COMMAND, AGGREGATE = 15, 17, 18, 20, 22

STREAM_BEGIN, PING_REQUEST, PING_RESPONSE = 0, 6, 7

CONTROL_CHUNK_STREAM, COMMAND_CHUNK_STREAM, STATUS_CHUNK_STREAM = 2, 3, 5
AUDIO_CHUNK_STREAM, VIDEO_CHUNK_STREAM = 4, 6

_DYNAMIC_LIMIT = 2
_TAG_HEADER = 11
_BACK_POINTER = 4
MAX_AGGREGATED = 1024
"""Messages in one aggregate."""

_ULONG = struct.Struct(">I")
_EVENT = struct.Struct(">HI")


class Message(NamedTuple):
    """One whole message; `timestamp` in ms, unwrapped to 64 bits."""

    type_id: int
    timestamp: int
    stream_id: int
    payload: bytes


class CommandMessage(NamedTuple):
    """An invoked command: `arguments` are what follows the transaction id."""

    name: str
    transaction: float
    arguments: list[amf0.Value]


def read_command(message: Message) -> CommandMessage:
    """Raises RtmpError when the payload is no command."""
    # An AMF3 command (§7.1.1) is an AMF0 one behind a zero byte, as long as no value switches to AMF3.
    body = message.payload[1:] if message.type_id == COMMAND_AMF3 else message.payload
    values = amf0.decode(body)
    if not values or not isinstance(values[0], str):
        raise RtmpError("bad_command", "a command message that does not begin with the command's name")
    transaction = values[1] if len(values) > 1 else 0.0
    if isinstance(transaction, bool) or not isinstance(transaction, float):
        raise RtmpError("bad_command", "a command message without a transaction id")
    return CommandMessage(values[0], transaction, values[2:])


def read_ulong(message: Message) -> int:
    """The 32-bit value that most control messages consist of. Raises RtmpError."""
    if len(message.payload) < _ULONG.size:
        raise RtmpError("bad_control", f"a control message of type {message.type_id} with too few bytes")
    value: int = _ULONG.unpack_from(message.payload)[0]
    return value


def split_aggregate(message: Message) -> Iterator[Message]:
    """The messages in an aggregate (§7.1.6), their timestamps moved so that the first has the aggregate's."""
    payload, position, shift, count = message.payload, 0, None, 0
    while position < len(payload):
        count += 1
        if count > MAX_AGGREGATED:
            raise RtmpError("bad_aggregate", f"more than {MAX_AGGREGATED} messages in an aggregate")
        if len(payload) - position < _TAG_HEADER:
            raise RtmpError("bad_aggregate", "an aggregate message ends within a tag's header")
        size = int.from_bytes(payload[position + 1 : position + 4], "big")
        timestamp = int.from_bytes(payload[position + 4 : position + 7], "big") | payload[position + 7] << 24
        start, end = position + _TAG_HEADER, position + _TAG_HEADER + size
        if end > len(payload):
            raise RtmpError("bad_aggregate", "an aggregate message ends within a tag")
        if shift is None:
            shift = message.timestamp - timestamp
        yield Message(payload[position], timestamp + shift, message.stream_id, payload[start:end])
        position = end + _BACK_POINTER


def write(chunk_stream: int, message: Message, chunk_size: int) -> bytes:
    """The message in chunks: a type 0 header, then type 3 ones, which repeat an extended timestamp as peers expect."""
    timestamp = message.timestamp & 0xFFFFFFFF
    extended = _ULONG.pack(timestamp) if timestamp >= 0xFFFFFF else b""
    payload = message.payload
    out = bytearray([chunk_stream])
    out += min(timestamp, 0xFFFFFF).to_bytes(3, "big")
    out += len(payload).to_bytes(3, "big")
    out.append(message.type_id)
    out += message.stream_id.to_bytes(4, "little")
    out += extended
    out += payload[:chunk_size]
    separator = bytes([0xC0 | chunk_stream]) + extended
    for start in range(chunk_size, len(payload), chunk_size):
        out += separator
        out += payload[start : start + chunk_size]
    return bytes(out)


def command(name: str, transaction: float, *arguments: amf0.Value, stream_id: int = 0) -> Message:
    return Message(COMMAND, 0, stream_id, amf0.encode([name, transaction, *arguments]))


def set_chunk_size(size: int) -> Message:
    return Message(SET_CHUNK_SIZE, 0, 0, _ULONG.pack(size))


def acknowledgement(received: int) -> Message:
    """`received` bytes so far; the field wraps at 32 bits."""
    return Message(ACKNOWLEDGEMENT, 0, 0, _ULONG.pack(received & 0xFFFFFFFF))


def window_size(size: int) -> Message:
    return Message(WINDOW_SIZE, 0, 0, _ULONG.pack(size))


def peer_bandwidth(size: int) -> Message:
    return Message(PEER_BANDWIDTH, 0, 0, _ULONG.pack(size) + bytes([_DYNAMIC_LIMIT]))


def user_control(event: int, value: int) -> Message:
    return Message(USER_CONTROL, 0, 0, _EVENT.pack(event, value))


def status(stream_id: int, level: str, code: str, description: str) -> Message:
    """An `onStatus` command (§7.2.2)."""
    info: amf0.Value = {"level": level, "code": code, "description": description}
    return command("onStatus", 0, None, info, stream_id=stream_id)

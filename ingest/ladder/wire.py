"""What the ladder's worker and its parent say to each other: length, kind, body. Sans-I/O; all numbers big-endian."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ingest.ladder.rungs import Rung

MESSAGE_MAX = 32 << 20
"""Bytes; larger is no message of ours."""
_HEAD = struct.Struct(">IB")
_PICTURE = struct.Struct(">qiB")
_OPENED = struct.Struct(">H")
_CODED = struct.Struct(">HqiB")
_SKIPPED = struct.Struct(">Hq")


@dataclass(frozen=True)
class Begin:
    """To the worker: a stretch of video begins with its next picture, which is a keyframe."""

    codec: str
    """Sample entry type."""
    record: bytes
    """The decoder's configuration."""
    timescale: int
    encoder: str


@dataclass(frozen=True)
class Rungs:
    """To the worker: make these and no others; those that are new from the next keyframe on."""

    rungs: tuple[tuple[int, Rung], ...]
    """Each with the number that the worker's messages on it carry; a number stands for one rung only."""


@dataclass(frozen=True)
class Picture:
    """To the worker: an access unit of the source, length-prefixed."""

    dts: int
    composition: int
    keyframe: bool
    """Of the rungs: the source's keyframes, and where a segment begins without one."""
    data: bytes | memoryview


@dataclass(frozen=True)
class End:
    """To the worker: nothing continues what was; give out what is held."""


@dataclass(frozen=True)
class Opened:
    """From the worker: what follows of this rung has this decoder configuration (avcC)."""

    rung: int
    record: bytes


@dataclass(frozen=True)
class Coded:
    """From the worker: an access unit of a rung, in the place of the source's with this dts."""

    rung: int
    dts: int
    composition: int
    keyframe: bool
    data: bytes | memoryview


@dataclass(frozen=True)
class Skipped:
    """From the worker: the rung leaves this picture of the source out."""

    rung: int
    dts: int


Message = Begin | Rungs | Picture | End | Opened | Coded | Skipped


def encode(message: Message) -> bytes:
    match message:
        case Begin():
            facts = json.dumps([message.codec, message.timescale, message.encoder]).encode()
            return _framed(0, struct.pack(">H", len(facts)), facts, message.record)
        case Rungs():
            return _framed(1, json.dumps([(number, asdict(rung)) for number, rung in message.rungs]).encode())
        case Picture():
            return _framed(2, _PICTURE.pack(message.dts, message.composition, message.keyframe), message.data)
        case End():
            return _framed(3)
        case Opened():
            return _framed(4, _OPENED.pack(message.rung), message.record)
        case Coded():
            head = _CODED.pack(message.rung, message.dts, message.composition, message.keyframe)
            return _framed(5, head, message.data)
        case Skipped():
            return _framed(6, _SKIPPED.pack(message.rung, message.dts))


class Reader:
    """Bytes in, messages out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Raises ValueError on what is no message."""
        self._buffer += data
        at = 0
        try:
            while len(self._buffer) - at >= _HEAD.size:
                size, kind = _HEAD.unpack_from(self._buffer, at)
                if size > MESSAGE_MAX:
                    raise ValueError("a message is too long")
                end = at + _HEAD.size + size
                if len(self._buffer) < end:
                    break
                body = bytes(memoryview(self._buffer)[at + _HEAD.size : end])
                at = end
                yield _decode(kind, body)
        finally:
            del self._buffer[:at]


def _framed(kind: int, *chunks: bytes | memoryview) -> bytes:
    return b"".join((_HEAD.pack(sum(map(len, chunks)), kind), *chunks))


def _decode(kind: int, body: bytes) -> Message:
    try:
        match kind:
            case 0:
                end = 2 + int.from_bytes(body[:2], "big")
                codec, timescale, encoder = json.loads(body[2:end])
                return Begin(codec, body[end:], timescale, encoder)
            case 1:
                rows: list[tuple[int, dict[str, Any]]] = json.loads(body)
                return Rungs(tuple((number, Rung(**row)) for number, row in rows))
            case 2:
                dts, composition, keyframe = _PICTURE.unpack_from(body)
                return Picture(dts, composition, bool(keyframe), memoryview(body)[_PICTURE.size :])
            case 3:
                return End()
            case 4:
                (rung,) = _OPENED.unpack_from(body)
                return Opened(rung, body[_OPENED.size :])
            case 5:
                rung, dts, composition, keyframe = _CODED.unpack_from(body)
                return Coded(rung, dts, composition, bool(keyframe), memoryview(body)[_CODED.size :])
            case 6:
                return Skipped(*_SKIPPED.unpack(body))
    except (struct.error, TypeError, IndexError) as error:
        raise ValueError(f"a message of kind {kind} is damaged: {error}") from error
    raise ValueError(f"no message has kind {kind}")

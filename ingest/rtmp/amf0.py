"""AMF0 values to and from bytes (AMF 0 specification, 2006), with limits on depth and count."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

from ingest.rtmp.errors import RtmpError

MAX_DEPTH = 16
MAX_VALUES = 2048

Value = None | bool | float | str | Sequence["Value"] | Mapping[str, "Value"]


class Marker:
    """The first byte of a value. References, movie clips and the switch to AMF3 never stand in RTMP messages."""

    NUMBER, BOOLEAN, STRING, OBJECT, NULL, UNDEFINED, ECMA_ARRAY = 0, 1, 2, 3, 5, 6, 8
    STRICT_ARRAY, DATE, LONG_STRING, UNSUPPORTED, XML, TYPED_OBJECT = 10, 11, 12, 13, 15, 16


_OBJECT_END = b"\x09"
_DOUBLE = struct.Struct(">d")
_LONG = struct.Struct(">I")
_SHORT = struct.Struct(">H")


def decode(data: bytes) -> list[Value]:
    """All values in `data`, in order. Raises RtmpError: truncated, nested too deep, too many, or not AMF0."""
    decoder = _Decoder(data)
    values: list[Value] = []
    while decoder.position < len(data):
        values.append(decoder.value(0))
    return values


def encode(values: Iterable[Value]) -> bytes:
    """The values one after another: mappings become objects, sequences strict arrays."""
    out = bytearray()
    for value in values:
        _append(out, value)
    return bytes(out)


class _Decoder:
    def __init__(self, data: bytes) -> None:
        self.position = 0
        self._data = data
        self._values = 0

    def value(self, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise RtmpError("amf_too_deep", f"AMF values nested deeper than {MAX_DEPTH}")
        self._values += 1
        if self._values > MAX_VALUES:
            raise RtmpError("amf_too_large", f"more than {MAX_VALUES} AMF values in one message")
        marker = self._take(1)[0]
        match marker:
            case Marker.NUMBER:
                number: float = _DOUBLE.unpack(self._take(8))[0]
                return number
            case Marker.BOOLEAN:
                return self._take(1)[0] != 0
            case Marker.STRING:
                return self._text(self._short())
            case Marker.OBJECT:
                return self._properties(depth)
            case Marker.NULL | Marker.UNDEFINED | Marker.UNSUPPORTED:
                return None
            case Marker.ECMA_ARRAY:
                self._long()  # a hint only: the end marker decides
                return self._properties(depth)
            case Marker.STRICT_ARRAY:
                return [self.value(depth + 1) for _ in range(self._count())]
            case Marker.DATE:
                moment: float = _DOUBLE.unpack(self._take(10)[:8])[0]
                return moment
            case Marker.LONG_STRING | Marker.XML:
                return self._text(self._long())
            case Marker.TYPED_OBJECT:
                self._text(self._short())
                return self._properties(depth)
        raise RtmpError("amf_invalid", f"AMF0 marker {marker} is not one that RTMP messages carry")

    def _properties(self, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        while True:
            name = self._text(self._short())
            if not name and self._data[self.position : self.position + 1] == _OBJECT_END:
                self.position += 1
                return found
            found[name] = self.value(depth + 1)

    def _count(self) -> int:
        count = self._long()
        if count > MAX_VALUES:
            raise RtmpError("amf_too_large", f"an AMF array of {count} values")
        return count

    def _text(self, length: int) -> str:
        return self._take(length).decode("utf-8", "replace")

    def _short(self) -> int:
        value: int = _SHORT.unpack(self._take(2))[0]
        return value

    def _long(self) -> int:
        value: int = _LONG.unpack(self._take(4))[0]
        return value

    def _take(self, count: int) -> bytes:
        start = self.position
        taken = self._data[start : start + count]
        if len(taken) < count:
            raise RtmpError("amf_truncated", f"an AMF value ends {count - len(taken)} bytes short")
        self.position = start + count
        return taken


def _append(out: bytearray, value: Value) -> None:
    if value is None:
        out.append(Marker.NULL)
    elif isinstance(value, bool):
        out += bytes((Marker.BOOLEAN, value))
    elif isinstance(value, (int, float)):
        out.append(Marker.NUMBER)
        out += _DOUBLE.pack(value)
    elif isinstance(value, str):
        text = value.encode()
        if len(text) <= 0xFFFF:
            out.append(Marker.STRING)
            out += _SHORT.pack(len(text))
        else:
            out.append(Marker.LONG_STRING)
            out += _LONG.pack(len(text))
        out += text
    elif isinstance(value, Mapping):
        out.append(Marker.OBJECT)
        for name, member in value.items():
            text = name.encode()
            out += _SHORT.pack(len(text))
            out += text
            _append(out, member)
        out += b"\x00\x00" + _OBJECT_END
    else:
        out.append(Marker.STRICT_ARRAY)
        out += _LONG.pack(len(value))
        for member in value:
            _append(out, member)

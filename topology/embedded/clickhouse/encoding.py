"""Content encodings both ways, in pieces: bodies never stand in memory whole."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from lz4.frame import LZ4FrameCompressor, LZ4FrameDecompressor

from topology.embedded.clickhouse.errors import ClickHouseError, not_implemented

PIECE = 1_048_576


class Encoder(Protocol):
    """`encode` what comes, then `finish` once; each gives the bytes that are ready."""

    def encode(self, data: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


class _Plain:
    def encode(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


class _Gzip:
    def __init__(self) -> None:
        self._out = zlib.compressobj(1, wbits=31)

    def encode(self, data: bytes) -> bytes:
        return self._out.compress(data) + self._out.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._out.flush()


class _Lz4:
    def __init__(self) -> None:
        self._out: Any = LZ4FrameCompressor(auto_flush=True)  # type: ignore[no-untyped-call]
        self._begun = False

    def encode(self, data: bytes) -> bytes:
        begin = b"" if self._begun else self._out.begin()
        self._begun = True
        return bytes(begin + self._out.compress(data))

    def finish(self) -> bytes:
        begin = b"" if self._begun else self._out.begin()
        return bytes(begin + self._out.flush())


_ENCODERS: dict[str, Callable[[], Encoder]] = {"lz4": _Lz4, "gzip": _Gzip}


def choose_encoding(accepted: str) -> str | None:
    """The first encoding of an Accept-Encoding header that we speak; None for plain bytes."""
    names = (part.split(";")[0].strip() for part in accepted.split(","))
    return next((name for name in names if name in _ENCODERS), None)


def encoder(name: str | None) -> Encoder:
    return _ENCODERS[name]() if name else _Plain()


class _Member(Protocol):
    """One compressed member of a body: `rest` holds what follows once `ended`."""

    ended: bool
    rest: bytes

    def decode(self, data: bytes) -> Iterator[bytes]: ...


class _GzipMember:
    def __init__(self) -> None:
        self._in = zlib.decompressobj(wbits=31)
        self.ended = False
        self.rest = b""

    def decode(self, data: bytes) -> Iterator[bytes]:
        piece = b"-"
        while piece and not self._in.eof:
            piece = self._in.decompress(data, PIECE)
            data = self._in.unconsumed_tail
            yield piece
        self.ended, self.rest = self._in.eof, self._in.unused_data


class _Lz4Member:
    def __init__(self) -> None:
        self._in: Any = LZ4FrameDecompressor()  # type: ignore[no-untyped-call]
        self.ended = False
        self.rest = b""

    def decode(self, data: bytes) -> Iterator[bytes]:
        yield self._in.decompress(data, PIECE)
        while not self._in.needs_input and not self._in.eof:
            yield self._in.decompress(b"", PIECE)
        self.ended, self.rest = self._in.eof, self._in.unused_data or b""


_DECODERS: dict[str, Callable[[], _Member]] = {"lz4": _Lz4Member, "gzip": _GzipMember}


class Decoder:
    """A request body's decoder. Bombs are harmless: no piece is larger than PIECE."""

    def __init__(self, name: str) -> None:
        """Raises ClickHouseError 48 for an encoding that is not lz4, gzip, identity or nothing."""
        if name not in ("", "identity") and name not in _DECODERS:
            raise not_implemented(f"Content-Encoding {name[:20]} is not spoken here: use lz4 or gzip")
        self._make = _DECODERS.get(name)
        self._member: _Member | None = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        """The pieces that this much input makes. Raises ClickHouseError 354 on damage."""
        if self._make is None:
            yield data
            return
        try:
            while data:
                self._member = self._member or self._make()
                yield from filter(None, self._member.decode(data))
                if not self._member.ended:
                    return
                data, self._member = self._member.rest, None
        except (zlib.error, RuntimeError) as error:
            raise _damaged(str(error)) from error

    def finish(self) -> None:
        """Raises ClickHouseError 354 when the body ends within a member."""
        if self._member is not None:
            raise _damaged("it ends too early")


def _damaged(reason: str) -> ClickHouseError:
    return ClickHouseError(354, "ZLIB_INFLATE_FAILED", f"The body is damaged: {reason}")

"""A request as ClickHouse reads it: statement, data, settings and placeholders from URL, headers and body."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request

from topology.embedded.clickhouse.encoding import PIECE, Decoder
from topology.embedded.clickhouse.errors import ClickHouseError, not_implemented
from topology.embedded.clickhouse.inserts import MAX_HEAD, InsertHead, find_insert

MAX_STATEMENT = 262_144
"""Bytes of a statement without data, ClickHouse's own default."""

MAX_DATA = 1 << 30
"""Decoded bytes of one INSERT's data."""

_NOT_SETTINGS = frozenset(
    [
        "buffer_size",
        "client_protocol_version",
        "compress",
        "database",
        "decompress",
        "default_format",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "password",
        "query",
        "query_id",
        "quota_key",
        "role",
        "send_progress_in_http_headers",
        "session_check",
        "session_id",
        "session_timeout",
        "user",
        "wait_end_of_query",
    ]
)


@dataclass(frozen=True, slots=True)
class Asked:
    """`insert` with `data` for an INSERT that brings data; `statement` for anything else."""

    statement: str
    insert: InsertHead | None
    data: AsyncIterator[bytes]


def settings_of(request: Request) -> dict[str, str]:
    """The engine's settings among the URL parameters."""
    return {
        name: value
        for name, value in request.query_params.items()
        if name not in _NOT_SETTINGS and not name.startswith("param_")
    }


def parameters_of(request: Request) -> dict[str, str]:
    """The values of the statement's placeholders."""
    prefix = "param_"
    return {name.removeprefix(prefix): value for name, value in request.query_params.items() if name.startswith(prefix)}


def encoding_wanted(request: Request) -> str:
    """The Accept-Encoding to obey: ClickHouse compresses only where the setting asks for it too."""
    wanted = request.query_params.get("enable_http_compression", "0") in ("1", "true")
    return request.headers.get("accept-encoding", "") if wanted else ""


async def read(request: Request) -> Asked:
    """Read as far as the statement reaches; the data stays to be read. Raises ClickHouseError."""
    if request.query_params.get("decompress", "0") == "1":
        raise not_implemented("decompress=1 is not spoken here: use Content-Encoding lz4 or gzip")
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise not_implemented("Multipart bodies are not spoken here: send the statement as the body")
    pieces = _decoded(request)
    text = request.query_params.get("query", "").encode()
    if text.strip():
        text += b"\n"
        insert = find_insert(text)
        if insert:
            return Asked("", insert, _after(text[insert.data_at :].strip(), pieces))
    text = await _more(text, pieces, MAX_HEAD)
    insert = find_insert(text)
    if insert:
        return Asked("", insert, _after(text[insert.data_at :], pieces))
    text = await _more(text, pieces, MAX_STATEMENT + 1)
    if len(text) > MAX_STATEMENT:
        raise ClickHouseError(62, "SYNTAX_ERROR", f"Max query size exceeded: {MAX_STATEMENT} bytes")
    if not text.strip():
        raise ClickHouseError(62, "SYNTAX_ERROR", "Empty query")
    try:
        return Asked(text.decode(), None, pieces)
    except UnicodeDecodeError as error:
        raise ClickHouseError(62, "SYNTAX_ERROR", "The statement is not UTF-8") from error


async def _decoded(request: Request) -> AsyncIterator[bytes]:
    decoder = Decoder(request.headers.get("content-encoding", ""))
    total = 0
    async for chunk in request.stream():
        for piece in decoder.decode(chunk):
            total += len(piece)
            if total > MAX_DATA:
                raise ClickHouseError(396, "TOO_MANY_ROWS_OR_BYTES", f"The data is larger than {MAX_DATA} bytes")
            yield piece
    decoder.finish()


async def _more(text: bytes, pieces: AsyncIterator[bytes], size: int) -> bytes:
    """The text with pieces added until it has the size, or the body ends."""
    parts, length = [text], len(text)
    while length < size:
        piece = await anext(pieces, None)
        if piece is None:
            break
        parts.append(piece)
        length += len(piece)
    return b"".join(parts)


async def _after(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What is left, in pieces worth a call."""
    waiting = bytearray(first)
    async for piece in pieces:
        waiting += piece
        if len(waiting) >= PIECE:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)

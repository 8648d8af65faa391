"""Knows a player's plain request by its bytes, without a parser: most requests of live players, over and over.

Players repeat themselves: all who wait for a part send the same request line, and each sends the same header block
every time. Both are read once and remembered. What is taken here is a strict subset of HTTP/1.1 (RFC 9112): whatever
looks any other way is left to the parser, which understands the same by what both can read.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ingest.hls.wanted import BadDirective, Wanted, wanted_of

_REMEMBERED = 4096
"""Of request lines and of header blocks: at most 10 MiB together."""

_LINE_MAX = 512
_BLOCK_MAX = 2048
_LINE = re.compile(
    rb"GET /live/(?P<stream>[A-Za-z0-9_-]{1,64})/(?P<rendition>[A-Za-z0-9_-]{1,64})/(?P<name>[A-Za-z0-9.]{1,32})"
    rb"(?:\?(?P<query>[!$-~]*))? HTTP/1\.1"
)
_BLOCK = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n")
_FIELD = re.compile(rb"([^:\r\n]+):[ \t]*([^\r\n]*?)[ \t]*\r\n")
_UNPLAIN = re.compile(
    rb"connection|content-length|expect|http2-settings|keep-alive|proxy-connection|range|te|trailer|transfer-encoding"
    rb"|upgrade|cmcd-.*"
)
"""Names of fields that frame the message, change the connection or the answer, or tell of the player (CTA-5004)."""
_CMCD = b"CMCD="


class PlainRequest(NamedTuple):
    """A GET for a playlist or a part in the public tree; no body, no range, no CMCD, and the connection stays."""

    stream_id: str
    rendition: str
    wanted: Wanted
    gzip: bool


class _Target(NamedTuple):
    stream_id: str
    rendition: str
    wanted: Wanted


def plain_request(data: bytes) -> PlainRequest | None:
    """The request, when `data` is exactly one that is plain."""
    line, _, block = data.partition(b"\r\n")
    if len(line) > _LINE_MAX or len(block) > _BLOCK_MAX:
        return None
    target = _target_of(line)
    if target is None:
        return None
    gzip = _gzip_of(block)
    return None if gzip is None else PlainRequest(*target, gzip)


@lru_cache(_REMEMBERED)
def _target_of(line: bytes) -> _Target | None:
    match = _LINE.fullmatch(line)
    query = (match["query"] or b"") if match else b""
    if match is None or _CMCD in query:
        return None
    try:
        wanted = wanted_of(match["name"].decode(), query)
    except BadDirective:
        return None
    return _Target(match["stream"].decode(), match["rendition"].decode(), wanted) if wanted else None


@lru_cache(_REMEMBERED)
def _gzip_of(block: bytes) -> bool | None:
    """Whether these header fields take gzip; None when they are not plain."""
    if not _BLOCK.fullmatch(block):
        return None
    accepted = None
    for name, value in _FIELD.findall(block):
        lower = name.lower()
        if lower == b"connection" and value.lower() == b"keep-alive":
            continue
        if _UNPLAIN.fullmatch(lower):
            return None
        if lower == b"accept-encoding" and accepted is None:
            accepted = value
    return b"gzip" in (accepted or b"")

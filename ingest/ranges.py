"""Range requests (RFC 9110 14): one range of bytes. Several ranges get everything, as is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from starlette.responses import Response

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)


class Span(NamedTuple):
    """The bytes from `first` to `last`, both included; the last `last` bytes when there is no `first`."""

    first: int | None
    last: int | None

    def within(self, size: int) -> tuple[int, int]:
        """The first and the last byte of a content of this size; none when the last is before the first."""
        if self.first is None:
            return max(0, size - (self.last or 0)), size - 1
        return self.first, size - 1 if self.last is None else min(self.last, size - 1)


def span_of(header: str | None) -> Span | None:
    """The one range that is asked for; None for everything, and for what is no range."""
    match = _RANGE.fullmatch(header) if header else None
    if match is None or match[0] == "bytes=-":
        return None
    first, last = (int(match[number]) if match[number] else None for number in (1, 2))
    return None if first is not None and last is not None and last < first else Span(first, last)


def answer_whole(content: bytes, headers: Mapping[str, str], media_type: str) -> Response:
    """Everything."""
    return Response(content, headers={**headers, "Accept-Ranges": "bytes"}, media_type=media_type)


def answer_part(first: int, data: bytes, size: int, headers: Mapping[str, str], media_type: str) -> Response:
    """`data` from the byte `first` on, of a content of `size` bytes; 416 when there is nothing from there on."""
    headers = {**headers, "Accept-Ranges": "bytes"}
    if not data:
        said = {"Content-Range": f"bytes */{size}", "Cache-Control": "no-store"}
        return Response(status_code=416, headers={**headers, **said})
    headers["Content-Range"] = f"bytes {first}-{first + len(data) - 1}/{size}"
    return Response(data, 206, headers, media_type)


def answer_range(header: str | None, content: bytes, headers: Mapping[str, str], media_type: str) -> Response:
    """The content, which is in memory, or the range of it that was asked for."""
    span = span_of(header)
    if span is None:
        return answer_whole(content, headers, media_type)
    first, last = span.within(len(content))
    return answer_part(first, content[first : last + 1], len(content), headers, media_type)

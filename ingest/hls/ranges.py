"""Range requests (RFC 9110 14) for content that is in memory."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.responses import Response

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)
MEDIA_TYPE = "video/mp4"


def answer_range(header: str | None, content: bytes, headers: Mapping[str, str]) -> Response:
    """The content, or the single range of it that was asked for. Several ranges get everything, as is allowed."""
    headers = {**headers, "Accept-Ranges": "bytes"}
    match = _RANGE.fullmatch(header) if header else None
    if match is None or match[0] == "bytes=-":
        return Response(content, headers=headers, media_type=MEDIA_TYPE)
    size = len(content)
    if match[1]:
        first, last = int(match[1]), min(int(match[2]), size - 1) if match[2] else size - 1
        if match[2] and int(match[2]) < first:
            return Response(content, headers=headers, media_type=MEDIA_TYPE)
    else:
        first, last = max(0, size - int(match[2])), size - 1
    if first > last:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}", "Cache-Control": "no-store"})
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Response(content[first : last + 1], 206, headers=headers, media_type=MEDIA_TYPE)

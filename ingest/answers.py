"""What the origin's HTTP answers have in common."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

OPEN = {"Access-Control-Allow-Origin": "*"}
"""Any site may play. Said without `Vary: Origin`, which would make CDNs keep a copy a site."""

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"

MEDIA_TYPE = "video/mp4"
"""Of init segments, segments and parts."""

GZIP = 31
"""What zlib calls the format."""


async def preflight(request: Request) -> Response:
    """To what browsers ask before a request of another site's page."""
    allowed = {"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "*"}
    return Response(status_code=204, headers={**OPEN, **allowed, "Access-Control-Max-Age": "86400"})


def accepts_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")

"""Around the origin: sees the CMCD of requests as they are answered, and takes players' own reports."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.cmcd.parse import HEADERS, QUERY, Cmcd, CmcdError, parse
from ingest.cmcd.reporting import PATH, Reporting, Watching

_MEDIA = re.compile(r"/(?:live|private)/([A-Za-z0-9_-]{1,64})/")
_QUERY_ARGUMENT = f"{QUERY}=".encode()
_HEADERS = tuple(name.encode() for name in HEADERS)
_VIA = b"via"


class CmcdMiddleware:
    """Bad CMCD never costs a viewer a segment: it is passed over. `reports_per_minute` is an address's share."""

    def __init__(self, app: ASGIApp, viewers: Watching, reports_per_minute: int) -> None:
        self._app = app
        self._viewers = viewers
        self._reporting = Reporting(viewers, reports_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == PATH:
            await self._reporting(scope, receive, send)
        elif (media := _MEDIA.match(scope["path"])) and (cmcd := _cmcd(scope)):
            await self._app(scope, receive, self._telling(media[1], cmcd, send))
        else:
            await self._app(scope, receive, send)

    def _telling(self, stream_id: str, cmcd: Cmcd, send: Send) -> Send:
        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._viewers.observe(stream_id, cmcd, message["status"])
            await send(message)

        return tell


def _cmcd(scope: Scope) -> Cmcd | None:
    """What the request says of its player. A request through a cache says nothing: the origin sees its misses only, and
    the cache's own log tells all (`ingest.cmcd.cloudfront`).
    """
    said: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name == _VIA:
            return None
        if name in _HEADERS:
            said[name] = value.decode("latin-1")
    text = ",".join(said.values())
    if not text and _QUERY_ARGUMENT in scope["query_string"]:
        text = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=32).get(QUERY, [""])[0]
    if not text:
        return None
    try:
        return parse(text)
    except CmcdError:
        return None

"""`POST /cmcd`: the reports of players in event mode (CTA-5004-A). Media requests stay as they are, cache keys too."""

from __future__ import annotations

from typing import Protocol

from cachetools import TTLCache
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from ingest.cmcd.parse import Cmcd, CmcdError, parse_reports

PATH = "/cmcd"
MAX_BODY = 16_384
ADDRESSES = 100_000
_MINUTE_S = 60
_OPEN = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}


class Watching(Protocol):
    """Who is told of what players say; False is a stream that is not on air."""

    def observe(self, stream_id: str, cmcd: Cmcd, status: int = 200) -> bool:
        raise NotImplementedError


class Reporting:
    """An ASGI app. `per_minute` bounds the requests of one address."""

    def __init__(self, viewers: Watching, per_minute: int) -> None:
        self._viewers = viewers
        self._per_minute = per_minute
        self._asked: TTLCache[str, list[int]] = TTLCache(ADDRESSES, _MINUTE_S)
        """How many requests by address, in the minute since its first."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self._answer(Request(scope, receive)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_OPEN | _PREFLIGHT)
        if request.method != "POST":
            return _refusal(405, "reports are sent by POST", {"Allow": "POST, OPTIONS"})
        if not self._may(request.client.host if request.client else ""):
            return _refusal(429, f"at most {self._per_minute} reports a minute", {"Retry-After": str(_MINUTE_S)})
        body = await _body(request)
        if body is None:
            return _refusal(413, f"a body is at most {MAX_BODY} bytes; send fewer reports at a time")
        try:
            reports = parse_reports(body)
        except CmcdError as error:
            return _refusal(400, str(error))
        # Each is told, so that one that is late for its stream does not cost the others.
        taken = [self._viewers.observe(report.cid, report) for report in reports]
        if not any(taken):
            return _refusal(404, "cid is the id of a stream that is live; none of these is")
        return Response(status_code=204, headers=_OPEN)

    def _may(self, address: str) -> bool:
        asked: list[int] = self._asked.setdefault(address, [0])
        asked[0] += 1
        return asked[0] <= self._per_minute


async def _body(request: Request) -> bytes | None:
    """The body; None when it is too long, and empty when the sender went away."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return None
    except ClientDisconnect:
        return b""
    return bytes(body)


def _refusal(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(reason, status, _OPEN | (headers or {}))

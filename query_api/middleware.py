"""What every answer carries: a correlation id, the headers that keep browsers careful, and a line in the log."""

from __future__ import annotations

import re
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commands.identity import new_id

CORRELATION_HEADER = "Tally-Correlation-Id"

_CORRELATION = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_DATA_ONLY = "default-src 'none'; frame-ancestors 'none'"

log = structlog.get_logger(__name__)


class Correlation:
    """Takes the caller's correlation id or makes one; it travels into commands, events and logs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(CORRELATION_HEADER, "")
        correlation_id = given if _CORRELATION.fullmatch(given) else new_id()
        scope.setdefault("state", {})["correlation_id"] = correlation_id
        started_s = time.perf_counter()
        status = 500

        async def finish(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[CORRELATION_HEADER] = correlation_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers.setdefault("Content-Security-Policy", _DATA_ONLY)
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            await self._app(scope, receive, finish)
            level = log.debug if status < 400 and scope["method"] in ("GET", "HEAD", "OPTIONS") else log.info
            took_ms = round((time.perf_counter() - started_s) * 1000, 1)
            level("request", method=scope["method"], path=scope["path"], status=status, took_ms=took_ms)

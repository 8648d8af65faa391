"""Requests with limits: what comes back is a Response, whatever went wrong."""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from ingest.hls.check.facts import Response
from ingest.hls.check.playlist import ByteRange

RESPONSE_MAX = 64 << 20
"""Bytes of one answer."""
MEDIA_MAX = 384 << 20
"""Bytes of media that are held at a time; what is more is not fetched."""
_ANSWER_S = 10.0
_HEADERS = {"Origin": "https://player.example", "User-Agent": "tally-check-hls", "Accept-Encoding": "gzip"}


def connect() -> httpx.AsyncClient:
    """A client as a player on another site would be one."""
    limits = httpx.Limits(max_connections=64)
    return httpx.AsyncClient(headers=_HEADERS, follow_redirects=True, max_redirects=5, limits=limits)


def with_query(url: str, directives: Mapping[str, str | int]) -> str:
    """The URL with these query parameters, in the order that caches like best (RFC 8216bis 6.3.2)."""
    parts = urlsplit(url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *((key, str(value)) for key, value in directives.items())]
    return parts._replace(query=urlencode(sorted(query))).geturl()


class Fetcher:
    """Fetches by GET."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._media = 0

    @property
    def full(self) -> bool:
        """True when no more media should be fetched."""
        return self._media >= MEDIA_MAX

    async def media(self, url: str, byte_range: ByteRange | None, hold_s: float = 0.0) -> Response:
        """A segment, part or init segment."""
        headers = {}
        if byte_range:
            headers["Range"] = f"bytes={byte_range.offset}-{byte_range.offset + byte_range.length - 1}"
        response = await self.get(url, hold_s, headers)
        self._media += len(response.body)
        return response

    async def get(self, url: str, hold_s: float = 0.0, headers: Mapping[str, str] | None = None) -> Response:
        """`hold_s` is how long the server may hold the request, on top of what an answer may take."""
        asked_at_s = time.monotonic()
        try:
            target = urlsplit(url)
            # Reading the port raises ValueError when it is none.
            if target.scheme not in ("http", "https") or target.port == 0:
                return Response(url, 0, error=f"{url[:200]!r} is no http or https URL")
            timeout = httpx.Timeout(_ANSWER_S, read=_ANSWER_S + hold_s)
            async with self._client.stream("GET", url, headers=headers, timeout=timeout) as answer:
                body = bytearray()
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > RESPONSE_MAX:
                        return Response(url, 0, error=f"more than {RESPONSE_MAX} bytes came")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            reason = f"{type(error).__name__} {error}".strip()
            return Response(url, 0, asked_at_s=asked_at_s, got_at_s=time.monotonic(), error=reason)
        return Response(
            url=str(answer.url),
            status=answer.status_code,
            headers={name.lower(): value for name, value in answer.headers.items()},
            body=bytes(body),
            asked_at_s=asked_at_s,
            got_at_s=time.monotonic(),
            redirected=bool(answer.history),
        )

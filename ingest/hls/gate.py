"""The gate before the origin: what lies under `/private/`, live or recorded, is given only to who shows a token for it.

A player shows it as `?token=` on a request, as `Authorization: Bearer`, or as the cookie that a playlist asked for with
`?token=` sets, for players that carry no query on to the URIs in a playlist. A CDN that checks tokens itself asks
`/authorise` (nginx's `auth_request`) or verifies signatures of its own (CloudFront), and shows the edge secret instead.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from cachetools import LRUCache
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.recording.objects import PRIVATE_HOMES
from schemas.events.channels import PUBLIC
from topology.playback_keys import PlaybackKeys
from topology.playback_paths import LIVE_TREE, PRIVATE_TREE, PRIVATE_VOD, VOD_TREE
from topology.playback_tokens import MESSAGES, Asked, Claims, Reason, TokenRefused, check, claims_of, is_plain, kid_of
from topology.settings import Settings

COOKIE = "tally_playback"
EDGE_SECRET_HEADER = "Tally-Edge-Secret"  # noqa: S105  # its name
REFUSAL_HEADER = "Tally-Playback-Refusal"
VIEWER_HEADER = "Tally-Playback-Viewer"

_AUTHORISE = "/authorise"
_PLAYLISTS = (".m3u8", ".mpd")
_PRIVATE_VODS = f"{VOD_TREE}{PRIVATE_HOMES}"
"""Where the origin has the recordings that are not public; only the gate asks for them there."""
_QUERY_FIELDS = 32
_REMEMBERED = 10_000
"""Tokens whose signature was checked lately: at most 1 KiB each."""

_OPEN = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": REFUSAL_HEADER}
_PREFLIGHT = {
    **_OPEN,
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Authorization, Range",  # `*` would not stand for Authorization (Fetch 4.9)
    "Access-Control-Max-Age": "86400",
}


class PrivateStreams:
    """The streams that this process plays out and that are not public. `known` says whether it still has a stream."""

    def __init__(self, known: Callable[[str], bool]) -> None:
        self._known = known
        self._streams: set[str] = set()

    def note(self, stream_id: str, playback_policy: str) -> None:
        """Call it before the stream can be played."""
        self._streams = {each for each in self._streams if self._known(each)}
        if playback_policy != PUBLIC:
            self._streams.add(stream_id)

    def __contains__(self, stream_id: str) -> bool:
        return stream_id in self._streams


class Gate:
    """ASGI middleware. `clock` is Unix time in seconds."""

    def __init__(
        self, origin: ASGIApp, private: PrivateStreams, settings: Settings, clock: Callable[[], float] = time.time
    ) -> None:
        self._origin = origin
        self._private = private
        self._keys = PlaybackKeys.of(settings)
        self._clock = clock
        self._edge_secret = settings.playback_edge_secret.get_secret_value().encode()
        self._country_header = settings.playback_country_header
        self._viewer_header = settings.playback_viewer_header
        # A page of another site may only be given a cookie over TLS (RFC 6265bis 5.7).
        self._cookie_safety = "SameSite=None; Secure" if settings.playback_url.startswith("https:") else "SameSite=Lax"
        self._opened: LRUCache[str, Claims] = LRUCache(_REMEMBERED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http":
            await self._origin(scope, receive, send)
        elif path == _AUTHORISE:
            await self._authorise(scope)(scope, receive, send)
        elif path.startswith(PRIVATE_TREE):
            await self._serve_private(scope, receive, send)
        elif path.startswith(_PRIVATE_VODS) or (path.startswith(LIVE_TREE) and _stream_of(path) in self._private):
            await _refusal(TokenRefused(Reason.MISSING))(scope, receive, send)
        else:
            await self._origin(scope, receive, send)

    def _authorise(self, scope: Scope) -> Response:
        """What `auth_request` asks: the path and query of the request stand in X-Original-URI."""
        headers = Headers(scope=scope)
        path, _, asked = headers.get("x-original-uri", "").partition("?")
        query = dict(_pairs(asked.encode()) or ())
        try:
            claims = self._check(path, query, headers)
        except TokenRefused as refused:
            return _refusal(refused)
        answer = Response(status_code=204, headers={"Cache-Control": "no-store"})
        if claims.viewer:
            answer.headers[VIEWER_HEADER] = claims.viewer
        if (token := query.get("token")) and path.endswith(_PLAYLISTS):
            answer.headers["Set-Cookie"] = self._cookie(token, claims)
        return answer

    async def _serve_private(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send)
            return
        headers, path, pairs = Headers(scope=scope), scope["path"], _pairs(scope["query_string"])
        if pairs is None:
            await _problem(400, f"A query has at most {_QUERY_FIELDS} fields.")(scope, receive, send)
            return
        query = dict(pairs)
        trusted = self._is_trusted_edge(headers)
        cookie = ""
        if not trusted:
            try:
                claims = self._check(path, query, headers)
            except TokenRefused as refused:
                await _refusal(refused)(scope, receive, send)
                return
            if "token" in query and path.endswith(_PLAYLISTS):
                cookie = self._cookie(query["token"], claims)
        inner = self._inner(path)
        if inner is None:
            await _problem(404, "There is no such stream or segment.")(scope, receive, send)
            return

        async def finish(message: Message) -> None:
            if message["type"] == "http.response.start" and not trusted:
                answer = MutableHeaders(scope=message)
                answer["Cache-Control"] = answer.get("cache-control", "no-store").replace("public", "private")
                if cookie:
                    answer.append("Set-Cookie", cookie)
            await send(message)

        rest = urlencode([(name, value) for name, value in pairs if name != "token"])
        changed = {"path": inner, "raw_path": inner.encode(), "query_string": rest.encode()}
        await self._origin({**scope, **changed}, receive, finish)

    def _inner(self, path: str) -> str | None:
        """What the origin is asked; None for what it does not have. Whether it has a recording its store tells."""
        if not is_plain(path):
            return None
        stream_id, _, name = path.removeprefix(PRIVATE_TREE).partition("/")
        if name.startswith(PRIVATE_VOD):
            return f"{_PRIVATE_VODS}{stream_id}/{name.removeprefix(PRIVATE_VOD)}"
        return f"{LIVE_TREE}{stream_id}/{name}" if stream_id in self._private else None

    def _check(self, path: str, query: dict[str, str], headers: Headers) -> Claims:
        """What the token allows. Raises TokenRefused."""
        token = query.get("token") or _bearer(headers) or _cookie_of(headers)
        if not token:
            raise TokenRefused(Reason.MISSING)
        now_s = self._clock()
        claims = self._claims(token, now_s)
        country = headers.get(self._country_header) if self._country_header else None
        viewer = headers.get(self._viewer_header, "") if self._viewer_header else None
        check(claims, Asked(path, country, viewer), now_s)
        return claims

    def _claims(self, token: str, now_s: float) -> Claims:
        claims = self._opened.get(token)
        if claims is None:
            claims = self._opened[token] = claims_of(token, lambda kid: self._keys.verifier(kid, now_s))
        elif self._keys.verifier(kid_of(token), now_s) is None:
            raise TokenRefused(Reason.UNKNOWN_KEY)
        return claims

    def _is_trusted_edge(self, headers: Headers) -> bool:
        shown = headers.get(EDGE_SECRET_HEADER, "").encode()
        return bool(self._edge_secret) and hmac.compare_digest(shown, self._edge_secret)

    def _cookie(self, token: str, claims: Claims) -> str:
        age_s = max(0, int(claims.expires_s - self._clock()))
        return f"{COOKIE}={token}; Path={claims.path}; Max-Age={age_s}; HttpOnly; {self._cookie_safety}"


def _stream_of(path: str) -> str:
    return path.split("/", 3)[2]


def _pairs(query: bytes) -> list[tuple[str, str]] | None:
    """None when there are more than any player sends."""
    try:
        return parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=_QUERY_FIELDS)
    except ValueError:
        return None


def _bearer(headers: Headers) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _cookie_of(headers: Headers) -> str | None:
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return cookie.value if cookie else None


def _refusal(refused: TokenRefused) -> Response:
    answer = _problem(403, MESSAGES[refused.reason], code=refused.reason)
    answer.headers[REFUSAL_HEADER] = refused.reason
    return answer


def _problem(status: int, message: str, **more: str) -> Response:
    body = {"error": HTTPStatus(status).phrase, "status": status, "message": message, **more}
    return JSONResponse(body, status, {**_OPEN, "Cache-Control": "no-store"})

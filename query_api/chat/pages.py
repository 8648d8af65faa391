"""The few things that the chat process answers over plain HTTP."""

from __future__ import annotations

import hmac
from http import HTTPStatus
from urllib.parse import parse_qs

import orjson
from websockets.http11 import Request

from query_api.chat.asyncapi import asyncapi_document
from query_api.chat.chatters import inner_secret
from query_api.chat.house import House
from topology.settings import Settings

MOST_CHATTERS = 1_001
"""A page of the edge's, and one more to show that there is a next page."""

_JSON = "application/json"


class Pages:
    def __init__(self, house: House, settings: Settings) -> None:
        self._house = house
        self._secret = f"Bearer {inner_secret(settings)}"
        self._document = orjson.dumps(asyncapi_document(settings.chat_url))

    def __call__(self, request: Request) -> tuple[int, str, bytes]:
        path, _, query = request.path.partition("?")
        if path in ("/health/live", "/health/ready"):
            return HTTPStatus.OK, _JSON, orjson.dumps({"status": path.rpartition("/")[2]})
        if path == "/asyncapi.json":
            return HTTPStatus.OK, _JSON, self._document
        if path.startswith("/chatters/"):
            shown = "".join(request.headers.get_all("Authorization"))
            if not hmac.compare_digest(shown.encode(errors="replace"), self._secret.encode()):
                return HTTPStatus.UNAUTHORIZED, "text/plain", b"This is for the edge."
            return self._chatters(path.removeprefix("/chatters/"), query)
        return HTTPStatus.NOT_FOUND, "text/plain", b"There are /ws and /irc for WebSockets, and /asyncapi.json."

    def _chatters(self, channel_id: str, query: str) -> tuple[int, str, bytes]:
        """`first` from behind the login `after` on."""
        asked = parse_qs(query)
        first = asked.get("first", ["100"])[-1]
        if not (first.isascii() and first.isdigit() and 0 < int(first) <= MOST_CHATTERS):
            return HTTPStatus.BAD_REQUEST, "text/plain", f"first is 1 to {MOST_CHATTERS}".encode()
        room = self._house.rooms.get(channel_id)
        chatters = room.chatters.page(int(first), asked.get("after", [""])[-1]) if room is not None else []
        total = room.chatters.total if room is not None else 0
        return HTTPStatus.OK, _JSON, orjson.dumps({"total": total, "chatters": chatters})

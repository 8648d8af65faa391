"""Whose room an id is: of Postgres, which is asked when a room is opened and not for what is said in it."""

from __future__ import annotations

from asyncpg import Record
from cachetools import LRUCache, TTLCache

from query_api.chat.refusal import Refused
from query_api.database import Database
from query_api.errors import ApiError
from query_api.sessions import Session, Sessions

_SQL = "SELECT login FROM users WHERE user_id = $1"
_SUBSCRIBES = "SELECT FROM subscriptions WHERE channel_id = $1 AND subscriber_id = $2"
_REMEMBERED = 10_000
_REMEMBERED_S = 10.0
ENDED = 10_000
"""Sessions, or subscriptions, that the log says have ended: the read model knows by the time that one is forgotten."""


class Directory:
    """Logins of channels, and sessions of tokens. Raises Refused `unavailable` while Postgres is away."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database, self._sessions = database, sessions
        self._logins: TTLCache[str, str] = TTLCache(_REMEMBERED, _REMEMBERED_S)
        self._revoked: LRUCache[str, None] = LRUCache(ENDED)

    async def login_of(self, channel_id: str) -> str | None:
        """None when there is no such channel; empty when its owner is erased."""
        login = self._logins.get(channel_id)
        if login is None:  # nobody is remembered not to be there: the channel may be made in this moment
            row = await self._row(_SQL, channel_id)
            login = row["login"] if row is not None else None
            if login:
                self._logins[channel_id] = login
        return login

    async def subscribes(self, channel_id: str, user_id: str) -> bool:
        return await self._row(_SUBSCRIBES, channel_id, user_id) is not None

    async def session_of(self, token: str) -> Session:
        """Who the token speaks for. Raises Refused."""
        try:
            session = self._sessions.remembered(token) or await self._sessions.find(token)
        except ApiError as error:
            raise Refused("unavailable", error.message, 1.0) from error
        if session is None or session.session_id in self._revoked:
            raise Refused("bad_token", "the access token is unknown, expired or revoked; sign in again")
        return session

    def revoke(self, session_id: str) -> None:
        """The log says that a session has ended; the read model may say so later."""
        self._revoked[session_id] = None

    async def _row(self, sql: str, *values: str) -> Record | None:
        try:
            return await self._database.row(sql, *values)
        except ApiError as error:
            raise Refused("unavailable", error.message, 1.0) from error

"""Who a bearer token speaks for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from cachetools import TTLCache

from query_api.database import Database

CACHE_S = 1.0
"""How much longer a revoked token may work on another edge."""

_SQL = """
SELECT s.session_id, s.user_id, s.scopes, s.expires_at, u.login, u.display_name
FROM sessions s JOIN users u USING (user_id)
WHERE s.token_hash = $1 AND s.revoked_at IS NULL AND s.expires_at > now()
"""


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in that still holds."""

    session_id: str
    user_id: str
    login: str
    display_name: str
    scopes: frozenset[str]
    expires_at: datetime

    def expires_in_s(self) -> int:
        return max(0, int((self.expires_at - datetime.now(UTC)).total_seconds()))


class Sessions:
    """Looks tokens up by their hash; the token itself is never kept."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: TTLCache[str, Session] = TTLCache(10_000, CACHE_S)

    def remembered(self, token: str) -> Session | None:
        """The session if it was looked up a moment ago."""
        session = self._known.get(_hash_of(token))
        return session if session is not None and session.expires_in_s() > 0 else None

    async def find(self, token: str) -> Session | None:
        """The session, or None for a token that is unknown, expired or revoked. Raises ApiError 503."""
        token_hash = _hash_of(token)
        row = await self._database.row(_SQL, token_hash)
        if row is None:
            return None
        session = Session(
            session_id=row["session_id"],
            user_id=row["user_id"],
            login=row["login"],
            display_name=row["display_name"],
            scopes=frozenset(row["scopes"]),
            expires_at=row["expires_at"],
        )
        self._known[token_hash] = session
        return session

    def forget(self, token: str) -> None:
        """Stop trusting what was remembered of a token."""
        self._known.pop(_hash_of(token), None)


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

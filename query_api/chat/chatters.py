"""Who is in a room, by name: bounded, and only of this process. Whoever wants all asks every chat process."""

from __future__ import annotations

import hmac
import secrets
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

from topology.settings import Settings


@dataclass(frozen=True, slots=True)
class Chatter:
    user_id: str
    login: str
    name: str


class Chatters:
    """A user with several connections is one chatter. Beyond `limit` they are counted in `total` no more."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._present: dict[str, tuple[Chatter, int]] = {}
        self._by_login: list[Chatter] = []

    @property
    def total(self) -> int:
        return len(self._present)

    def arrive(self, chatter: Chatter) -> bool:
        """Whether this is one more."""
        present, connections = self._present.get(chatter.user_id, (chatter, 0))
        if not connections and len(self._present) >= self._limit:
            return False
        self._present[chatter.user_id] = (present, connections + 1)
        if not connections:
            insort(self._by_login, chatter, key=_place)
        return not connections

    def depart(self, user_id: str) -> bool:
        """Whether this is one less."""
        present, connections = self._present.pop(user_id, (None, 0))
        if present is None:
            return False
        if connections > 1:
            self._present[user_id] = (present, connections - 1)
            return False
        del self._by_login[bisect_left(self._by_login, _place(present), key=_place)]
        return True

    def page(self, first: int, after: str = "") -> Sequence[Chatter]:
        """By login, from behind the login `after` on."""
        start = bisect_right(self._by_login, after, key=lambda chatter: chatter.login)
        return self._by_login[start : start + first]


def _place(chatter: Chatter) -> tuple[str, str]:
    return chatter.login, chatter.user_id


def inner_secret(settings: Settings) -> str:
    """What an edge shows a chat process to be told its chatters: derived, so that there is no other secret to set.

    Without a pepper there is nothing to derive it from that a stranger does not know, and nobody is told.
    """
    pepper = settings.pepper.get_secret_value().encode() or secrets.token_bytes()
    return hmac.digest(pepper, b"tally chatters", "sha256").hex()

"""Who is in a room, by name: bounded, and only of this process. Whoever wants all asks every chat process."""

from __future__ import annotations

import hmac
import secrets
from bisect import bisect_right
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

    @property
    def total(self) -> int:
        return len(self._present)

    def arrive(self, chatter: Chatter) -> bool:
        """Whether this is one more."""
        _, connections = self._present.get(chatter.user_id, (chatter, 0))
        if connections or len(self._present) < self._limit:
            self._present[chatter.user_id] = (chatter, connections + 1)
            return connections == 0
        return False

    def depart(self, user_id: str) -> bool:
        """Whether this is one less."""
        present = self._present.pop(user_id, None)
        if present is not None and present[1] > 1:
            self._present[user_id] = (present[0], present[1] - 1)
            return False
        return present is not None

    def page(self, first: int, after: str = "") -> Sequence[Chatter]:
        """By login, from behind the login `after` on."""
        ordered = sorted((chatter for chatter, _ in self._present.values()), key=lambda chatter: chatter.login)
        start = bisect_right(ordered, after, key=lambda chatter: chatter.login) if after else 0
        return ordered[start : start + first]


def inner_secret(settings: Settings) -> str:
    """What an edge shows a chat process to be told its chatters: derived, so that there is no other secret to set.

    Without a pepper there is nothing to derive it from that a stranger does not know, and nobody is told.
    """
    pepper = settings.pepper.get_secret_value().encode() or secrets.token_bytes()
    return hmac.digest(pepper, b"tally chatters", "sha256").hex()

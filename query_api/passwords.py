"""Password verifiers, made off the event loop and few at a time, because each costs memory and tens of milliseconds."""

from __future__ import annotations

import asyncio

from commands.identity import password_verifier
from query_api.errors import unavailable
from topology.settings import Settings

AT_ONCE = 2
QUEUED = 64


class Passwords:
    """Turns a login and a password into the verifier that deciders compare."""

    def __init__(self, settings: Settings) -> None:
        self._pepper = settings.pepper.get_secret_value()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._queued = 0

    async def verifier(self, login: str, password: str) -> str:
        """Raises ApiError 503 when too many wait."""
        if self._queued >= QUEUED:
            raise unavailable("Too many sign-ins at once. Try again in a moment.")
        self._queued += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(password_verifier, login, password, self._pepper)
        finally:
            self._queued -= 1

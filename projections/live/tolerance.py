"""How much poison a projection passes by before it stops."""

from __future__ import annotations

from collections import deque

MAX_CONSECUTIVE = 20
MAX_RATIO = 0.05
WINDOW = 2_000
"""Records over which the ratio is taken."""


class TooMuchPoison(Exception):
    """So many records cannot be read that the projection itself, or its tables, must be at fault."""


class Tolerance:
    """Counts the records of one projection since the process started."""

    def __init__(self) -> None:
        self._consecutive = 0
        self._window: deque[bool] = deque(maxlen=WINDOW)
        self._poison = 0

    def passed(self, count: int) -> None:
        """Records were applied."""
        self._consecutive = 0
        for _ in range(count):
            self._count(poison=False)

    def poisoned(self, what: str) -> None:
        """A record is to be set aside. Raises TooMuchPoison, and then it must not be."""
        self._consecutive += 1
        self._count(poison=True)
        if self._consecutive > MAX_CONSECUTIVE:
            raise TooMuchPoison(f"{self._consecutive} records in a row cannot be applied, the last one {what}")
        if self._poison > WINDOW * MAX_RATIO:
            raise TooMuchPoison(
                f"{self._poison} of the last {len(self._window)} records cannot be applied, the last one {what}"
            )

    def _count(self, *, poison: bool) -> None:
        if len(self._window) == WINDOW:
            self._poison -= self._window[0]
        self._window.append(poison)
        self._poison += poison

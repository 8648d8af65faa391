"""A pause after each wrong stream key, longer for an address that keeps guessing."""

from __future__ import annotations

from collections import OrderedDict

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 3.0
FORGOTTEN_AFTER_S = 60.0
MAX_ADDRESSES = 10_000


class BadKeys:
    """Remembers who guessed wrong lately. A right key never waits: a neighbour behind the same address may hold it."""

    def __init__(self) -> None:
        self._recent: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def pause_s(self, address: str, now: float) -> float:
        """Count one more wrong key from `address`; how many seconds its answer shall wait."""
        count, last = self._recent.pop(address, (0, now))
        count = 1 if now - last > FORGOTTEN_AFTER_S else count + 1
        self._recent[address] = (count, now)
        if len(self._recent) > MAX_ADDRESSES:
            self._recent.popitem(last=False)
        return min(FIRST_PAUSE_S * count, LONGEST_PAUSE_S)

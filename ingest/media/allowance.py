"""How much a publisher may send. Pure."""

from __future__ import annotations

from ingest.media.became import RefusedMedia

_BURST_S = 2.0
"""What may come at once, in seconds at the highest rate: keyframes are large, and a connection that hung catches up."""


class Allowance:
    """Runs out when more than `rate_max` bytes a second come for long: at a tenth more, after 20 s."""

    def __init__(self, rate_max: int) -> None:
        self._rate_max = rate_max
        self._excess = 0.0
        """Bytes beyond what the time so far allows."""
        self._at_ms: int | None = None

    def take(self, size: int, at_ms: int) -> None:
        """`at_ms` is media time, which counts only where it moves on. Raises RefusedMedia."""
        passed_ms = 0 if self._at_ms is None else max(0, at_ms - self._at_ms)
        self._at_ms = at_ms if self._at_ms is None else max(self._at_ms, at_ms)
        self._excess = max(0.0, self._excess - passed_ms * self._rate_max / 1000) + size
        if self._excess > _BURST_S * self._rate_max:
            allowed = self._rate_max * 8 / 1e6
            raise RefusedMedia("bitrate_too_high", f"the bitrate is too high: at most {allowed:g} Mbit/s for long")

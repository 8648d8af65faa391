"""Token buckets: a steady rate with room for bursts, one bucket per caller, a bounded number of callers."""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass

from cachetools import LRUCache

from query_api.errors import ApiError

CALLERS = 100_000
"""Buckets remembered; the least recently used is forgotten first, which only ever forgives."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """`reset_in_s` is the time until the bucket is full again, `retry_in_s` until it holds one more request."""

    allowed: bool
    limit: int
    remaining: int
    reset_in_s: float
    retry_in_s: float


class TokenBuckets:
    """`limit` requests at once, refilled evenly over `per_s` seconds."""

    def __init__(self, limit: int, per_s: float = 60.0, callers: int = CALLERS) -> None:
        self._limit = limit
        self._rate = limit / per_s
        self._buckets: LRUCache[str, tuple[float, float]] = LRUCache(callers)

    def take(self, caller: str, now_s: float) -> Allowance:
        """Take one request out of the caller's bucket, if there is one. `now_s` is a monotonic clock's."""
        tokens = self._left(caller, now_s)
        allowed = tokens >= 1
        if allowed:
            tokens -= 1
        self._buckets[caller] = (tokens, now_s)
        return Allowance(
            allowed=allowed,
            limit=self._limit,
            remaining=int(tokens),
            reset_in_s=(self._limit - tokens) / self._rate,
            retry_in_s=max(0.0, 1 - tokens) / self._rate,
        )

    def owe(self, caller: str, count: int, now_s: float) -> float:
        """Take requests that were made already; the seconds until the bucket has made up for them."""
        tokens = self._left(caller, now_s) - count
        self._buckets[caller] = (tokens, now_s)
        return max(0.0, -tokens) / self._rate

    def _left(self, caller: str, now_s: float) -> float:
        tokens, then_s = self._buckets.get(caller, (float(self._limit), now_s))
        return min(self._limit, tokens + (now_s - then_s) * self._rate)


def ratelimit_headers(allowance: Allowance, now_unix_s: float) -> dict[str, str]:
    """Helix's three headers; the reset is a Unix time in seconds."""
    return {
        "Ratelimit-Limit": str(allowance.limit),
        "Ratelimit-Remaining": str(allowance.remaining),
        "Ratelimit-Reset": str(math.ceil(now_unix_s + allowance.reset_in_s)),
    }


def refuse_if_spent(allowance: Allowance, what: str) -> None:
    """Raises ApiError 429 that says when to come back."""
    if not allowance.allowed:
        wait_s = math.ceil(allowance.retry_in_s)
        raise ApiError(429, f"{what} Try again in {wait_s} s.", headers={"Retry-After": str(wait_s)})


def network_of(host: str) -> str:
    """Who an address is for limits: an IPv6 caller owns a /64, so it counts as one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host

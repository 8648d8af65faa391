"""Who may connect, and how often one address may ask."""

from __future__ import annotations

from collections import Counter

from query_api.chat.limits import CHECK_S, Limits
from query_api.chat.refusal import Refused
from query_api.rate_limit import TokenBuckets, network_of


class Admission:
    """Counts connections overall and by network; an IPv6 network is a /64."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._total = 0
        self._by_network: Counter[str] = Counter()
        self._arrivals = TokenBuckets(limits.arrivals_of_each_per_minute * limits.connections_per_address)
        self._asks = TokenBuckets(limits.joins_per_minute)
        self._replays = TokenBuckets(limits.replays_per_minute)
        of_each = limits.received_of_each_per_check
        self._frames = TokenBuckets(of_each * limits.connections_per_address, CHECK_S)

    @property
    def connections(self) -> int:
        return self._total

    def arrive(self, address: str, now_s: float) -> str:
        """The network that it counts for, to be given to `depart`. Raises Refused."""
        if self._total >= self._limits.connections:
            raise Refused("overloaded", "there are too many connections; try again later", 5.0)
        network = network_of(address)
        if self._by_network[network] >= self._limits.connections_per_address:
            most = self._limits.connections_per_address
            raise Refused("too_many_connections", f"there are {most} connections from your address already", 5.0)
        allowance = self._arrivals.take(network, now_s)
        if not allowance.allowed:
            wait_s = round(allowance.retry_in_s, 3)
            raise Refused("too_many_connections", "your address connects too often; wait", max(1.0, wait_s))
        self._by_network[network] += 1
        self._total += 1
        return network

    def depart(self, network: str) -> None:
        self._total -= 1
        self._by_network[network] -= 1
        if not self._by_network[network]:
            del self._by_network[network]

    def ask(self, network: str, now_s: float) -> None:
        """One join, or one look at a token, more. Raises Refused."""
        allowance = self._asks.take(network, now_s)
        if not allowance.allowed:
            raise Refused("join_ratelimit", "your address joins too often; wait", round(allowance.retry_in_s, 3))

    def ask_for_what_is_old(self, network: str, now_s: float) -> None:
        """One reading from Kafka more. Raises Refused."""
        allowance = self._replays.take(network, now_s)
        if not allowance.allowed:
            raise Refused(
                "join_ratelimit",
                "your address asks too often for what is long past; wait, or join without a cursor",
                round(allowance.retry_in_s, 3),
            )

    def hear(self, network: str, count: int, now_s: float) -> float:
        """So many frames or lines came of this network; the seconds in which it should send no more."""
        return self._frames.owe(network, count, now_s)

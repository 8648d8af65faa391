from __future__ import annotations

import pytest

from query_api.errors import ApiError
from query_api.rate_limit import TokenBuckets, network_of, ratelimit_headers, refuse_if_spent


def test_a_full_bucket_allows_its_limit_at_once_and_then_refuses() -> None:
    buckets = TokenBuckets(limit=3, per_s=60)
    assert [buckets.take("a", 0.0).allowed for _ in range(4)] == [True, True, True, False]


def test_a_bucket_refills_evenly() -> None:
    buckets = TokenBuckets(limit=2, per_s=10)
    buckets.take("a", 0.0), buckets.take("a", 0.0)
    assert not buckets.take("a", 4.9).allowed
    assert buckets.take("a", 5.1).allowed


def test_a_bucket_never_holds_more_than_its_limit() -> None:
    buckets = TokenBuckets(limit=2, per_s=10)
    buckets.take("a", 0.0)
    assert buckets.take("a", 10_000.0).remaining == 1


def test_callers_do_not_share_a_bucket() -> None:
    buckets = TokenBuckets(limit=1)
    assert buckets.take("a", 0.0).allowed
    assert buckets.take("b", 0.0).allowed


def test_the_number_of_remembered_callers_is_bounded() -> None:
    buckets = TokenBuckets(limit=1, callers=2)
    for caller in "abc":
        buckets.take(caller, 0.0)
    assert not buckets.take("c", 0.0).allowed
    assert buckets.take("a", 0.0).allowed, "the least recently seen caller is forgotten"


def test_a_refusal_says_when_to_come_back() -> None:
    buckets = TokenBuckets(limit=1, per_s=60)
    buckets.take("a", 0.0)
    with pytest.raises(ApiError) as refused:
        refuse_if_spent(buckets.take("a", 0.0), "Too many requests.")
    assert refused.value.status == 429
    assert refused.value.headers == {"Retry-After": "60"}


def test_the_reset_header_is_when_the_bucket_is_full_again() -> None:
    allowance = TokenBuckets(limit=10, per_s=10).take("a", 0.0)
    assert ratelimit_headers(allowance, 1000.0) == {
        "Ratelimit-Limit": "10",
        "Ratelimit-Remaining": "9",
        "Ratelimit-Reset": "1001",
    }


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_caller_counts_by_its_network(host: str, network: str) -> None:
    assert network_of(host) == network

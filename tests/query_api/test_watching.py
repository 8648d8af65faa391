"""Who may watch in their own right."""

from __future__ import annotations

import pytest

from query_api.watching import REFUSALS, may_watch
from schemas.events.channels import PLAYBACK_POLICIES, PRIVATE, PUBLIC, SUBSCRIBERS


@pytest.mark.parametrize("policy", PLAYBACK_POLICIES)
def test_the_owner_always_may(policy: str) -> None:
    assert may_watch("1", "1", policy, subscribes=False)


@pytest.mark.parametrize(
    ("policy", "subscribes", "may"),
    [
        (PUBLIC, False, True),
        (PUBLIC, True, True),
        (SUBSCRIBERS, True, True),
        (SUBSCRIBERS, False, False),
        (PRIVATE, True, False),
        (PRIVATE, False, False),
    ],
)
def test_others_may_by_the_policy_and_their_subscription(policy: str, subscribes: bool, may: bool) -> None:
    assert may_watch("2", "1", policy, subscribes=subscribes) is may
    assert may or REFUSALS[policy]

from __future__ import annotations

import pytest

from query_api.consistency import token_of
from query_api.errors import ApiError
from schemas.consistency import ConsistencyToken


def test_a_token_is_read_as_it_was_written() -> None:
    assert token_of("follows:3:1042") == ConsistencyToken("follows", 3, 1042)


@pytest.mark.parametrize(
    "header",
    ["", "follows", "follows:3", "follows:x:1", "follows:3:-1", "nowhere:0:1", "follows:4:1", f"follows:0:{2**63}"],
)
def test_a_place_that_cannot_exist_is_refused_instead_of_waited_for(header: str) -> None:
    with pytest.raises(ApiError, match="Tally-Consistency") as refused:
        token_of(header)
    assert refused.value.status == 400

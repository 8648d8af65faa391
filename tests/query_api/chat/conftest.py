"""A town with its doors open."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from query_api.chat.limits import Limits
from tests.query_api.chat.town import Doors, Town, opened


@pytest.fixture
def town() -> Town:
    return Town(Limits())


@pytest.fixture
async def doors(town: Town) -> AsyncIterator[Doors]:
    async with opened(town) as doors:
        yield doors

"""One past for all tests of replay: starting its engines costs more than they do. A database each for those of rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.engines import own_database
from tests.projections.past import Past, past


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """Filled topics. Whoever poisons a topic uses one that nobody else rebuilds."""
    with past(tmp_path_factory.mktemp("past")) as made:
        yield made


@pytest.fixture
async def dsn(postgres: str) -> AsyncIterator[str]:
    """A database of the test's own."""
    async with own_database(postgres) as dsn:
        yield dsn

"""One past for all tests of replay: starting its engines costs more than they do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.projections.past import Past, past


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """Filled topics. Whoever poisons a topic uses one that nobody else rebuilds."""
    with past(tmp_path_factory.mktemp("past")) as made:
        yield made

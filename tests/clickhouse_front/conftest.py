"""The embedded front itself, whatever the shared `clickhouse` fixture runs on."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.clickhouse_front.fronts import ANALYST, WRITER, serving


@pytest.fixture(scope="session")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a front with a table `tally.seen (n UInt64, word String)` of three rows."""
    with serving(tmp_path_factory.mktemp("front")) as (url, _):
        with httpx.Client(base_url=url, auth=WRITER) as client:
            create = "CREATE TABLE tally.seen (n UInt64, word String) ENGINE = MergeTree ORDER BY n"
            client.post("/", content=create).raise_for_status()
            client.post("/", content="INSERT INTO tally.seen VALUES (1, 'a'), (2, 'b;c'), (3, '')").raise_for_status()
        yield url


@pytest.fixture
def writer(front: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=front, auth=WRITER, timeout=60) as client:
        yield client


@pytest.fixture
def analyst(front: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=front, auth=ANALYST, timeout=60) as client:
        yield client

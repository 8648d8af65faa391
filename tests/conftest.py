"""Engines shared by the whole session. Tests share the broker: use ids of your own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from tests import engines as real
from topology.settings import Settings

hypothesis.settings.register_profile("unhurried", hypothesis.settings(), deadline=None)  # machines are noisy
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings that reach a real broker with every topic."""
    with real.kafka(tmp_path_factory.mktemp("kafka")) as settings:
        yield settings


@pytest.fixture(scope="session")
def registry(kafka: Settings) -> Iterator[Settings]:
    """The broker's settings with a running schema registry."""
    with real.registry(kafka) as settings:
        yield settings


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DSN of a fresh database server."""
    with real.postgres(tmp_path_factory.mktemp("postgres")) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings that reach a fresh ClickHouse as its writer and as its analyst."""
    with real.clickhouse(tmp_path_factory.mktemp("clickhouse")) as settings:
        yield settings


@pytest.fixture(scope="session")
def engines(registry: Settings, postgres: str, clickhouse: Settings) -> Settings:
    """Settings that reach all four engines."""
    stored = {name: getattr(clickhouse, name) for name in Settings.model_fields if name.startswith("clickhouse_")}
    return registry.model_copy(update={**stored, "postgres_dsn": Settings(postgres_dsn=postgres).postgres_dsn})


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The whole system as `./tally up --detach` starts it: what `status --json` says of it."""
    with real.stack(tmp_path_factory.mktemp("stack")) as status:
        yield status

"""A system of its own with a past in its topics, and the commands of replay as a user runs them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from confluent_kafka import Producer
from typer.testing import CliRunner

from benchmarks.seed import Encoder, fill, partition_of
from benchmarks.world import Happening
from projections.clickhouse.database import Database
from tests import engines
from topology.cli.replay import app
from topology.kafka import producer_config
from topology.settings import Settings

EVENTS = 6_000


@dataclass(frozen=True)
class Ran:
    """A command of replay that ended."""

    status: int
    said: str
    errors: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.said)
        return found


@dataclass(frozen=True)
class Past:
    """Engines, and what tests do to them."""

    settings: Settings
    appended: dict[str, int]
    """How many events each topic was filled with."""

    def replay(self, *arguments: str) -> Ran:
        """`./tally replay ...`"""
        result = CliRunner().invoke(app, arguments, env=self.environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    @contextmanager
    def replaying(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """The command in a process of its own; killed at the end if it still runs."""
        argv = [sys.executable, "-m", "topology.cli", "replay", *arguments]
        with subprocess.Popen(argv, env=os.environ | self.environment, start_new_session=True) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    @property
    def environment(self) -> dict[str, str]:
        return self.settings.environment()

    def append(self, *happenings: Happening) -> None:
        """In order; each to its channel's partition."""
        producer = Producer(producer_config(self.settings))
        with closing(Encoder(self.settings.schema_registry_url)) as encoder:
            for type_, channel, fields in happenings:
                value, key = encoder.encode(type_, fields), fields[type_.key_field].encode()
                producer.produce(type_.topic, value, key, partition_of(channel))
        assert producer.flush(30) == 0

    def append_bytes(self, topic: str, partition: int, value: bytes) -> None:
        producer = Producer(producer_config(self.settings))
        producer.produce(topic, value, b"key", partition)
        assert producer.flush(30) == 0

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """In Postgres."""

        async def run() -> list[tuple[Any, ...]]:
            connection = await asyncpg.connect(self.settings.postgres_dsn.get_secret_value())
            try:
                return [tuple(row) for row in await connection.fetch(statement, *values)]
            finally:
                await connection.close()

        return asyncio.run(run())

    def clickhouse(self, query: str) -> list[tuple[Any, ...]]:
        with closing(Database(self.settings)) as database:
            return database.rows(query)

    def clickhouse_command(self, statement: str) -> None:
        with closing(Database(self.settings)) as database:
            database.command(statement)

    def storage(self, topic: str) -> str:
        """The table under a topic's view."""
        with closing(Database(self.settings)) as database:
            live = database.live(topic)
        assert live is not None
        return f"tally._{topic.replace('-', '_')}_v{live.version}"

    def dropped(self) -> None:
        """Both stores, as if they had never been."""
        for (schema,) in self.sql("SELECT nspname FROM pg_namespace WHERE nspname ~ '^(rm|tally)'"):
            self.sql(f"DROP SCHEMA {schema} CASCADE")
        self.clickhouse_command("DROP DATABASE IF EXISTS tally SYNC")


@contextmanager
def past(directory: Path, events: int = EVENTS) -> Iterator[Past]:
    """All engines, the topics filled, no read model."""
    with (
        engines.kafka(directory / "kafka") as kafka,
        engines.registry(kafka) as registry,
        engines.postgres(directory / "postgres") as dsn,
        engines.clickhouse(directory / "clickhouse") as clickhouse,
    ):
        stored = {name: getattr(clickhouse, name) for name in Settings.model_fields if name.startswith("clickhouse_")}
        settings = registry.model_copy(update={**stored, "postgres_dsn": Settings(postgres_dsn=dsn).postgres_dsn})
        yield Past(settings, fill(settings, events))

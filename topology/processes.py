"""The processes of a system on one machine: one table. Modules are named, not imported."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass

from schemas.wire import Codec
from topology import probes
from topology.admin import ensure_topics
from topology.child import Launch
from topology.embedded.kafka import KafkaBroker
from topology.embedded.postgres import PostgresServer
from topology.settings import Settings

Ready = Callable[[Settings, int], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Process:
    """`prepare` may take long (downloads, set-up); `furnish` runs once it answers, before it counts as ready.

    `address` is a template over the settings: what a person or a client would open.
    """

    name: str
    needs: tuple[str, ...]
    prepare: Callable[[Settings], Launch]
    ready: Ready
    address: str = ""
    furnish: Callable[[Settings], None] | None = None

    def address_in(self, settings: Settings) -> str:
        """The address of this process in a system with these settings; "" when it has none."""
        return self.address.format(settings=settings)


def _kafka(settings: Settings) -> Launch:
    port = int(settings.kafka_bootstrap.rsplit(":", 1)[1])
    broker = KafkaBroker(settings.data_dir / "kafka", settings.cache_dir, port, settings.kafka_controller_port)
    return broker.prepare()


def _postgres(settings: Settings) -> Launch:
    dsn = settings.postgres_dsn.get_secret_value()
    password = dsn.split("://tally:", 1)[1].rsplit("@", 1)[0]
    return PostgresServer(settings.data_dir / "postgres", settings.postgres_port, password).prepare()


def _module(*arguments: str) -> Callable[[Settings], Launch]:
    return lambda settings: Launch((sys.executable, "-m", *arguments), env=settings.environment())


def _register_schemas(settings: Settings) -> None:
    with closing(Codec(settings.schema_registry_url)) as codec:
        codec.register_all()


def _http(url: str) -> Ready:
    return lambda settings, _pid: probes.http_answers(url.format(settings=settings))


def _announced(process: str) -> Ready:
    return lambda settings, pid: probes.announced(settings, process, pid)


def _worker(name: str, *arguments: str, needs: tuple[str, ...]) -> Process:
    return Process(name, needs, _module(*arguments), _announced(name))


PROCESSES = (
    Process(
        name="kafka",
        needs=(),
        prepare=_kafka,
        ready=lambda settings, _pid: probes.kafka_answers(settings),
        address="{settings.kafka_bootstrap}",
        furnish=ensure_topics,
    ),
    Process(
        name="postgres",
        needs=(),
        prepare=_postgres,
        ready=lambda settings, _pid: probes.postgres_answers(settings),
        address="127.0.0.1:{settings.postgres_port}",
    ),
    Process(
        name="clickhouse",
        needs=(),
        prepare=_module("topology.embedded.clickhouse"),
        ready=_http("{settings.clickhouse_url}/ping"),
        address="{settings.clickhouse_url}",
    ),
    Process(
        name="schema-registry",
        needs=("kafka",),
        prepare=_module("topology.registry"),
        ready=_http("{settings.schema_registry_url}/subjects"),
        address="{settings.schema_registry_url}",
        furnish=_register_schemas,
    ),
    _worker("deciders", "commands", needs=("schema-registry",)),
    _worker("projections-postgres", "projections", "postgres", needs=("schema-registry", "postgres")),
    _worker("projections-clickhouse", "projections", "clickhouse", needs=("schema-registry", "clickhouse")),
    Process(
        name="ingest",
        needs=("schema-registry",),
        prepare=_module("ingest"),
        ready=_http("{settings.playback_url}/health/ready"),
        address="rtmp://127.0.0.1:{settings.rtmp_port}/live",
    ),
    Process(
        name="edge",
        needs=("schema-registry", "postgres"),
        prepare=_module("query_api"),
        ready=_http("{settings.edge_url}/health/ready"),
        address="{settings.edge_url}",
    ),
    Process(
        name="chat",
        needs=("schema-registry", "postgres"),
        prepare=_module("query_api.chat"),
        ready=_http("http://127.0.0.1:{settings.chat_port}/health/ready"),
        address="{settings.chat_url}",
    ),
)
"""In an order in which each comes after what it needs."""

"""Real engines for tests, each a context manager: containers when a Docker engine answers, else embedded."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import docker
import httpx
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from testcontainers.community.clickhouse import ClickHouseContainer
from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.postgres import PostgresContainer

from topology.admin import ensure_topics
from topology.child import Launch, start, stop
from topology.embedded.kafka import KafkaBroker
from topology.embedded.postgres import PostgresServer
from topology.kafka import client_config
from topology.ports import free_row
from topology.settings import Settings

ROOT = Path(__file__).parents[1]
PASSWORD = "of-tests-only"
START_TIMEOUT_S = 120.0


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on now."""
    base = free_row(count)
    return list(range(base, base + count))


@cache
def docker_answers() -> bool:
    """Whether containers can be used here: a client without an engine does not count."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with closing(docker.from_env()) as client:
                return bool(client.ping())
        except docker.errors.DockerException:
            return False
        finally:
            gc.collect()  # docker-py leaves the socket of a refused connection to the collector


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for readiness; fails with the log's end when the process dies or time runs out."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} is not up:\n{log.read_text()[-4000:]}")
        time.sleep(0.05)


@contextmanager
def running(launch: Launch, log: Path, ready: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """The child, ready; stopped at the end."""
    process = start(launch, log)
    try:
        wait_until(ready, process, log)
        yield process
    finally:
        if process.poll() is None:
            stop(process, launch)


def answers(url: str) -> bool:
    """Whether a GET succeeds."""
    try:
        return httpx.get(url, timeout=2.0).is_success
    except httpx.TransportError:
        return False


def broker_answers(settings: Settings) -> bool:
    """Whether a broker answers a request for metadata."""
    try:
        return bool(AdminClient(client_config(settings) | {"log_level": 0}).list_topics(timeout=2.0).brokers)
    except KafkaException:
        return False


def _database_answers(dsn: str) -> bool:
    async def probe() -> None:
        connection = await asyncpg.connect(dsn, timeout=2.0)
        await connection.close()

    try:
        asyncio.run(probe())
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    return True


@contextmanager
def kafka(directory: Path) -> Iterator[Settings]:
    """A broker with every topic."""
    base = Settings(data_dir=directory)
    with ExitStack() as resources:
        if docker_answers():
            container = resources.enter_context(KafkaContainer("confluentinc/cp-kafka:8.0.0").with_kraft())
            settings = base.model_copy(update={"kafka_bootstrap": container.get_bootstrap_server()})
        else:
            port, controller_port = free_ports(2)
            settings = base.model_copy(
                update={"kafka_bootstrap": f"127.0.0.1:{port}", "kafka_controller_port": controller_port}
            )
            broker = KafkaBroker(directory / "kafka", settings.cache_dir, port, controller_port)
            log = directory / "logs" / "kafka.log"
            resources.enter_context(running(broker.prepare(), log, lambda: broker_answers(settings)))
        ensure_topics(settings)
        yield settings


@contextmanager
def postgres(directory: Path) -> Iterator[str]:
    """A database server's DSN."""
    if docker_answers():
        with PostgresContainer("postgres:18", username="tally", password=PASSWORD, dbname="tally") as container:
            yield container.get_connection_url(driver=None)
        return
    server = PostgresServer(directory / "postgres", free_ports(1)[0], PASSWORD)
    log = directory / "logs" / "postgres.log"
    with running(server.prepare(), log, lambda: _database_answers(server.dsn)):
        yield server.dsn


@contextmanager
def registry(kafka_settings: Settings) -> Iterator[Settings]:
    """Our own schema registry over the broker of `kafka_settings`."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    settings = kafka_settings.model_copy(update={"schema_registry_url": url, "schema_registry_port": port})
    with _module("topology.registry", settings, f"{url}/subjects"):
        yield settings


@asynccontextmanager
async def own_database(postgres: str) -> AsyncIterator[str]:
    """The DSN of an empty database on the server, which is dropped at the end."""
    name = f"own_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(postgres)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{postgres.rpartition('/')[0]}/{name}"
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@contextmanager
def clickhouse(directory: Path) -> Iterator[Settings]:
    """A ClickHouse with a writer and, embedded, a read-only analyst."""
    accounts = {
        "clickhouse_user": "tally",
        "clickhouse_password": PASSWORD,
        "clickhouse_analyst": "analyst",
        "clickhouse_analyst_password": f"{PASSWORD}-analyst",
    }
    if docker_answers():
        server = ClickHouseContainer("clickhouse/clickhouse-server:26.3", username="tally", password=PASSWORD)
        with server.with_env("CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT", "1") as container:
            url = f"http://{container.get_container_host_ip()}:{container.get_exposed_port(8123)}"
            _create_analyst(url, accounts["clickhouse_analyst_password"])
            yield Settings.model_validate({"data_dir": directory, "clickhouse_url": url, **accounts})
        return
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    settings = Settings.model_validate({"data_dir": directory, "clickhouse_url": url, **accounts})
    with _module("topology.embedded.clickhouse", settings, f"{url}/ping"):
        yield settings


def _create_analyst(url: str, password: str) -> None:
    for statement in (
        f"CREATE USER analyst IDENTIFIED BY '{password}' SETTINGS readonly = 1",
        "GRANT SELECT ON *.* TO analyst",
    ):
        httpx.post(url, content=statement, auth=("tally", PASSWORD)).raise_for_status()


@contextmanager
def _module(name: str, settings: Settings, ready_url: str) -> Iterator[None]:
    log = settings.data_dir / "logs" / f"{name}.log"
    launch = Launch((sys.executable, "-m", name), env=settings.environment())
    with running(launch, log, lambda: answers(ready_url)):
        yield


def tally(*arguments: str, timeout_s: float = 600) -> subprocess.CompletedProcess[str]:
    """Run the command line as a script would."""
    return subprocess.run((ROOT / "tally", *arguments), capture_output=True, text=True, timeout=timeout_s, check=False)


@contextmanager
def stack(directory: Path) -> Iterator[dict[str, Any]]:
    """The whole system, started by the command line; what `status --json` says of it."""
    place = ("--data", str(directory), "--port-base", str(free_row()))
    up = tally("up", "--detach", *place)
    if up.returncode != 0:
        raise RuntimeError(f"`tally up` exited with status {up.returncode}:\n{up.stdout}{up.stderr}")
    try:
        yield json.loads(tally("status", "--json", *place).stdout)
    finally:
        down = tally("down", *place)
    assert down.returncode == 0, down.stderr

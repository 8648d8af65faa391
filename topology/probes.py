"""Questions that tell whether an engine or a process does its work."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import asyncpg
import httpx
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from topology.kafka import client_config
from topology.readiness import ready_pid
from topology.settings import Settings

TIMEOUT_S = 5.0
_TLS = ssl.create_default_context()  # loaded once: each client would load the certificates again


async def kafka_answers(settings: Settings) -> bool:
    """Whether a broker answers a request for metadata."""
    host, port = settings.kafka_bootstrap.split(",")[0].rsplit(":", 1)
    if not await _accepts(host, int(port)):
        return False

    def ask() -> bool:
        options = client_config(settings) | {"log_level": 0}
        try:
            return bool(AdminClient(options).list_topics(timeout=TIMEOUT_S).brokers)
        except KafkaException:
            return False

    return await asyncio.to_thread(ask)


async def postgres_answers(settings: Settings) -> bool:
    """Whether the database answers a query."""
    try:
        connection = await asyncpg.connect(settings.postgres_dsn.get_secret_value(), timeout=TIMEOUT_S)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    try:
        return bool(await connection.fetchval("SELECT true", timeout=TIMEOUT_S))
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    finally:
        connection.terminate()


async def http_answers(url: str) -> bool:
    """Whether a GET succeeds."""
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=_TLS) as client:
            return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False


async def announced(settings: Settings, process: str, pid: int) -> bool:
    """Whether exactly this process has said that it is ready."""
    return await asyncio.to_thread(ready_pid, settings, process) == pid


def tail(log: Path, lines: int) -> list[str]:
    """The last lines of a log, of at most its last 64 KiB."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 65_536))
            return file.read().decode(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []


async def _accepts(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True

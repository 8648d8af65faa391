"""Where a local system listens: the defaults of the settings, or a row of ports from a base."""

from __future__ import annotations

import random
import socket
from pathlib import Path

import psutil

from topology.settings import Settings

OFFSETS = {
    "edge": 0,
    "playback": 1,
    "rtmp": 2,
    "kafka": 3,
    "kafka_controller": 4,
    "schema_registry": 5,
    "postgres": 6,
    "clickhouse": 7,
    "chat": 8,
    "irc": 9,
}
"""`--port-base N` puts each server on N + its offset. Scripts rely on these numbers: add, never renumber."""

DEFAULTS = {
    "edge": 8080,
    "playback": 8081,
    "rtmp": 1935,
    "kafka": 9092,
    "kafka_controller": 9093,
    "schema_registry": 8085,
    "postgres": 5432,
    "clickhouse": 8123,
    "chat": 8082,
    "irc": 6667,
}


_FREE_RANGE = (15_000, 32_000)


def ports(base: int | None) -> dict[str, int]:
    """The port of every server."""
    return dict(DEFAULTS) if base is None else {name: base + offset for name, offset in OFFSETS.items()}


def local_settings(data_dir: Path, base: int | None) -> Settings:
    """Settings of a system on this machine. What is not an address still comes from `TALLY_*` variables."""
    port = ports(base)
    return Settings().model_copy(
        update={
            "data_dir": data_dir.absolute(),
            "kafka_bootstrap": f"127.0.0.1:{port['kafka']}",
            "kafka_controller_port": port["kafka_controller"],
            "schema_registry_url": f"http://127.0.0.1:{port['schema_registry']}",
            "schema_registry_port": port["schema_registry"],
            "clickhouse_url": f"http://127.0.0.1:{port['clickhouse']}",
            "postgres_port": port["postgres"],
            "rtmp_port": port["rtmp"],
            "edge_port": port["edge"],
            "edge_url": f"http://127.0.0.1:{port['edge']}",
            "chat_port": port["chat"],
            "chat_url": f"ws://127.0.0.1:{port['chat']}/ws",
            "irc_port": port["irc"],
            "playback_port": port["playback"],
            "playback_url": f"http://127.0.0.1:{port['playback']}",
        }
    )


def free_row(length: int = len(OFFSETS)) -> int:
    """The first of `length` free ports in a row, for a system that only has to be reachable.

    They lie below the range that outgoing connections get theirs from: a client that keeps trying a port of that range
    while its server restarts may end up connected to itself, and then the server cannot have its port back.
    """
    while True:
        base = random.randrange(*_FREE_RANGE, length)  # noqa: S311  # a place, not a secret
        if all(_is_free(port) for port in range(base, base + length)):
            return base


def taken(base: int | None) -> dict[str, int]:
    """The servers whose port something else listens on already."""
    return {name: port for name, port in ports(base).items() if not _is_free(port)}


def holder(port: int) -> str:
    """Who listens on a port, as well as this account may know."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return "another program"
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
            return f"pid {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "another program"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

"""The engines of a system without its own processes: `python -m benchmarks.engines DATA PORT_BASE`, until a signal."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from topology.ports import free_row, local_settings
from topology.processes import PROCESSES
from topology.secrets import Secrets
from topology.settings import Settings
from topology.supervisor import Supervisor
from topology.system_state import RunDirectory
from topology.telemetry import configure_logging

NAMES = ("kafka", "postgres", "clickhouse", "schema-registry")
START_TIMEOUT_S = 180.0


@contextmanager
def running_engines() -> Iterator[Settings]:
    """Kafka with its topics, the registry, Postgres and ClickHouse, on ports and data of their own; taken down
    afterwards. Raises RuntimeError with what the supervisor said.
    """
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as directory:
        data = Path(directory)
        data.chmod(0o711)  # Postgres runs as another account
        base = free_row()
        settings = Secrets.load_or_make(data).apply(local_settings(data, base))
        log = data / "supervisor.log"
        with log.open("wb") as file:
            supervisor = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.engines", directory, str(base)], stdout=file, stderr=file
            )
        try:
            _await_ready(data, supervisor, log)
            yield settings
        finally:
            supervisor.terminate()
            supervisor.wait(60)


def _await_ready(data: Path, supervisor: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        state = RunDirectory(data).read()
        if state is not None and state.state == "ready":
            return
        if supervisor.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the engines are not up:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)


def main() -> int:
    """Supervise the engines alone."""
    data, base = Path(sys.argv[1]), int(sys.argv[2])
    configure_logging("engines")
    settings = Secrets.load_or_make(data).apply(local_settings(data, base))
    processes = [process for process in PROCESSES if process.name in NAMES]
    with RunDirectory(data).hold():
        return asyncio.run(Supervisor(settings, base, processes).run())


if __name__ == "__main__":
    os._exit(main())

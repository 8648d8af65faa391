"""Trains the broker's ahead-of-time cache, once for a machine: it halves the time that later starts take.

`python -m topology.embedded.kafka_training`: runs a broker on a throwaway log, stops it, and keeps what Java learned.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import time
from pathlib import Path

from topology.child import Launch, exit_of, start, stop
from topology.embedded.kafka import KafkaBroker, aot_cache, exclusive
from topology.settings import Settings

_UP_S = 60.0
_DOWN_S = 120.0


async def train_beside(settings: Settings) -> None:
    """Train at the lowest priority while the system already serves, unless that has been done."""
    if aot_cache(settings.cache_dir).exists():
        return
    launch = Launch((sys.executable, "-m", "topology.embedded.kafka_training"), env=settings.environment())
    child = start(launch, settings.data_dir / "logs" / "kafka-training.log")
    os.setpriority(os.PRIO_PROCESS, child.pid, 19)
    await exit_of(child).wait()
    child.wait()


def train(cache: Path) -> None:
    """Make the cache file, whole or not at all, unless another process does so now or has done so."""
    kept = aot_cache(cache)
    with exclusive(kept.with_suffix(".lock")):
        if not kept.exists():
            _train(cache, kept)


def _train(cache: Path, kept: Path) -> None:
    workshop = kept.with_suffix(".training")
    shutil.rmtree(workshop, ignore_errors=True)
    port, controller_port = _free_ports()
    broker = KafkaBroker(workshop, cache, port, controller_port)
    launch = broker.prepare(record_to=workshop / "learned.aot")
    child = start(launch, workshop / "broker.log")
    try:
        _await_port(port)
    finally:
        stop(child, launch, grace_s=_DOWN_S)  # Java writes the cache as it ends
    (workshop / "learned.aot").replace(kept)
    shutil.rmtree(workshop)


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def _await_port(port: int) -> None:
    deadline = time.monotonic() + _UP_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return
        time.sleep(0.1)
    raise TimeoutError(f"the training broker did not listen within {_UP_S:.0f} s")


if __name__ == "__main__":
    train(Settings().cache_dir)

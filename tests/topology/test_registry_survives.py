"""The registry goes on serving after its broker was killed and has come back, under a new leader epoch."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.engines import answers, broker_answers, free_ports, running
from topology.admin import ensure_topics
from topology.child import Launch
from topology.embedded.kafka import KafkaBroker
from topology.settings import Settings

pytestmark = [pytest.mark.stack, pytest.mark.faults]


def test_the_registry_outlives_a_kill_of_the_broker(tmp_path: Path) -> None:
    port, controller_port, registry_port = free_ports(3)
    url = f"http://127.0.0.1:{registry_port}"
    settings = Settings(
        data_dir=tmp_path,
        kafka_bootstrap=f"127.0.0.1:{port}",
        schema_registry_url=url,
        schema_registry_port=registry_port,
    )
    broker = KafkaBroker(tmp_path / "kafka", settings.cache_dir, port, controller_port)
    registry = Launch((sys.executable, "-m", "topology.registry"), env=settings.environment())
    with running(broker.prepare(), tmp_path / "kafka.log", lambda: broker_answers(settings)) as process:
        ensure_topics(settings)
        with running(registry, tmp_path / "registry.log", lambda: answers(f"{url}/subjects")):
            schema = {"schema": '"string"'}
            httpx.post(f"{url}/subjects/survivor/versions", json=schema, timeout=60).raise_for_status()
            before = httpx.get(f"{url}/subjects", timeout=60).json()
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert not answers(f"{url}/subjects")
            with running(broker.prepare(), tmp_path / "kafka.log", lambda: broker_answers(settings)):
                while not answers(f"{url}/subjects"):
                    time.sleep(0.1)
                assert httpx.get(f"{url}/subjects", timeout=60).json() == before

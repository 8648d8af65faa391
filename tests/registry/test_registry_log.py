"""Two registries on one log, and what outlives `kill -9` of a registry and of Kafka."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.engines import answers, free_ports, running
from topology.child import Launch, start
from topology.embedded.kafka import KafkaBroker
from topology.registry.errors import RegistryError
from topology.registry.log import SchemaLog
from topology.registry.state import RegistryState
from topology.settings import Settings

pytestmark = pytest.mark.stack


def record(name: str) -> str:
    return json.dumps({"type": "record", "name": name, "fields": []})


def register(log: SchemaLog, subject: str, schema: str) -> int:
    log.append(lambda state: state.decide_registration(subject, schema))
    found = log.state.find(subject, schema)
    assert found is not None
    return found.id


@contextmanager
def serving(settings: Settings, log: Path) -> Iterator[str]:
    """A registry process over the settings' broker; its URL."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    moved = settings.model_copy(update={"schema_registry_url": url, "schema_registry_port": port})
    launch = Launch((sys.executable, "-m", "topology.registry"), env=moved.environment())
    with running(launch, log, lambda: answers(f"{url}/")):
        yield url


def test_two_registries_never_hand_out_one_id_twice(kafka: Settings) -> None:
    first, second = SchemaLog(kafka), SchemaLog(kafka)
    start_together = threading.Barrier(2)

    def register_many(log: SchemaLog, name: str) -> dict[str, int]:
        start_together.wait()
        return {f"{name}{n}": register(log, f"race-{name}{n}", record(f"{name}{n}")) for n in range(10)}

    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(register_many, log, f"R{uuid4().hex}") for log in (first, second)]
        ids = [job.result() for job in jobs]
    given = [*ids[0].values(), *ids[1].values()]
    assert len(set(given)) == len(given) == 20

    def seen_by(state: RegistryState) -> dict[int, str]:
        return {schema_id: json.loads(state.by_id[schema_id])["name"] for schema_id in given}

    for log in (first, second, SchemaLog(kafka)):
        log.catch_up()
        assert seen_by(log.state) == {schema_id: name for named in ids for name, schema_id in named.items()}


def test_a_registry_that_was_asleep_decides_on_what_the_other_wrote(kafka: Settings) -> None:
    asleep, awake = SchemaLog(kafka), SchemaLog(kafka)
    subject, one, other = f"asleep-{uuid4()}", record(f"R{uuid4().hex}"), record(f"S{uuid4().hex}")
    register(asleep, f"{subject}-held", record(f"T{uuid4().hex}"))
    register(awake, subject, one)
    with pytest.raises(RegistryError) as refused:
        register(asleep, subject, other)
    assert refused.value.error_code == 409, "the pen it still held was worth nothing: it had to read on first"


def test_a_new_process_knows_what_the_old_one_acknowledged(kafka: Settings, tmp_path: Path) -> None:
    subject, schema = f"reborn-{uuid4()}", record(f"R{uuid4().hex}")
    with serving(kafka, tmp_path / "first.log") as url:
        answer = httpx.post(f"{url}/subjects/{subject}/versions", json={"schema": schema}, timeout=30)
        schema_id = answer.raise_for_status().json()["id"]
    with serving(kafka, tmp_path / "second.log") as url:
        known = httpx.get(f"{url}/schemas/ids/{schema_id}", timeout=30).raise_for_status().json()
    assert json.loads(known["schema"]) == json.loads(schema)


@pytest.mark.faults
def test_it_starts_before_kafka_makes_its_topic_and_outlives_kafkas_kill(tmp_path: Path) -> None:
    port, controller_port = free_ports(2)
    settings = Settings.model_validate({"data_dir": tmp_path, "kafka_bootstrap": f"127.0.0.1:{port}"})
    launch = KafkaBroker(tmp_path / "kafka", settings.cache_dir, port, controller_port).prepare()

    with serving(settings, tmp_path / "registry.log") as url, httpx.Client(base_url=url, timeout=30) as client:
        assert client.get("/subjects").json()["error_code"] == 50001, "Kafka is not there yet"

        broker = start(launch, tmp_path / "kafka.log")
        try:
            _until_ok(lambda: client.get("/subjects"))
            first = _until_ok(lambda: client.post("/subjects/a/versions", json={"schema": record("A")}))
            broker.kill()
            broker.wait()
            assert client.get(f"/schemas/ids/{first['id']}").status_code == 200, "what is known needs no Kafka"
            assert client.post("/subjects/b/versions", json={"schema": record("B")}).status_code == 500
        finally:
            broker.kill()
            broker.wait()
        broker = start(launch, tmp_path / "kafka.log")
        try:
            second = _until_ok(lambda: client.post("/subjects/b/versions", json={"schema": record("B")}))
            assert second["id"] == first["id"] + 1
            assert client.get("/subjects").json() == ["a", "b"]
        finally:
            broker.kill()
            broker.wait()


def _until_ok(ask: Callable[[], httpx.Response]) -> Any:
    """The first good answer's JSON, within ten of the registry's own waits."""
    for _ in range(10):
        answer = ask()
        if answer.is_success:
            return answer.json()
    raise AssertionError(answer.text)

"""The write side, the read models and the edge, each as its own process over real engines; shared by the session."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field

import httpx
import pytest
from aiokafka.partitioner import murmur2
from confluent_kafka import Consumer, Producer, TopicPartition
from pydantic import SecretStr

from schemas.consistency import ConsistencyToken
from schemas.message import Event
from schemas.wire import Codec, Decoded
from tests.engines import answers, free_ports, running
from topology.child import Launch
from topology.kafka import consumer_config, producer_config
from topology.readiness import ready_pid
from topology.settings import Settings

PASSWORD = "correct horse battery"


def unique_login() -> str:
    return f"u{uuid.uuid4().hex[:16]}"


def eventually(condition: Callable[[], object]) -> None:
    """Wait until the condition holds; it fails the test after 60 s."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@dataclass
class Member:
    """Somebody with an account, signed in."""

    client: httpx.Client
    login: str
    id: str
    token: str

    def ask(self, method: str, path: str, *, after: str = "", key: str = "", **options: object) -> httpx.Response:
        """A request as this user: `after` is a consistency token, `key` an Idempotency-Key."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if after:
            headers["Tally-Consistency"] = after
        if key:
            headers["Idempotency-Key"] = key
        return self.client.request(method, path, headers=headers, **options)  # type: ignore[arg-type]


@dataclass
class Edge:
    """A running edge and what stands behind it."""

    url: str
    settings: Settings
    client: httpx.Client
    codec: Codec
    deciders: subprocess.Popen[bytes]
    _members: dict[str, Member] = field(default_factory=dict)

    def register(self, login: str = "", **more: str) -> Member:
        """A new user with a token for everything."""
        login = login or unique_login()
        made = self.client.post("/accounts", json={"login": login, "password": PASSWORD, **more})
        assert made.status_code == 201, made.text
        form = {"grant_type": "password", "username": login, "password": PASSWORD}
        token = self.client.post("/oauth2/token", data=form)
        assert token.status_code == 200, token.text
        return Member(self.client, login, made.json()["data"][0]["id"], token.json()["access_token"])

    def member(self, name: str) -> Member:
        """A user shared by tests that only need somebody: sign-ins are slow on purpose."""
        if name not in self._members:
            self._members[name] = self.register()
        return self._members[name]

    def append(self, *events: Event, partitioned_by: str = "") -> str:
        """Append events as another process would; the consistency token of the last.

        Where the topic follows the channel, `partitioned_by` names it.
        """
        producer = Producer(producer_config(self.settings))
        places: list[str] = []
        partitions = producer.list_topics(events[0].topic, timeout=10).topics[events[0].topic].partitions
        for event in events:
            where = (
                {"partition": (murmur2(partitioned_by.encode()) & 0x7FFFFFFF) % len(partitions)}
                if partitioned_by
                else {}
            )
            producer.produce(
                event.topic,
                self.codec.encode(event),
                event.key.encode(),
                on_delivery=lambda error, record: places.append(
                    f"{record.topic()}:{record.partition()}:{record.offset()}"
                ),
                **where,
            )
        assert producer.flush(20) == 0
        return places[-1]

    def read(self, place: str) -> Decoded:
        """The record at a consistency token."""
        token = ConsistencyToken.parse(place)
        consumer = Consumer(consumer_config(self.settings, f"tests-{uuid.uuid4()}"))
        try:
            consumer.assign([TopicPartition(token.topic, token.partition, token.offset)])
            record = consumer.poll(20)
            assert record is not None
            assert record.offset() == token.offset
            return self.codec.decode(record.value())
        finally:
            consumer.close()


def process(
    words: str, settings: Settings, ready: Callable[[], bool]
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """`python -m <words>`, ready."""
    launch = Launch((sys.executable, "-m", *words.split()), env=settings.environment())
    log = settings.data_dir / "logs" / f"edge-tests-{words.replace(' ', '-')}.log"
    return running(launch, log, ready)


@pytest.fixture(scope="session")
def edge(registry: Settings, postgres: str) -> Iterator[Edge]:
    port, rtmp_port, playback_port, chat_port, irc_port = free_ports(5)
    url = f"http://127.0.0.1:{port}"
    settings = registry.model_copy(
        update={
            "postgres_dsn": SecretStr(postgres),
            "edge_port": port,
            "edge_url": url,
            "pepper": SecretStr("of-tests-only"),
            "requests_per_minute": 100_000,
            "rtmp_port": rtmp_port,
            "playback_port": playback_port,
            "chat_port": chat_port,
            "irc_port": irc_port,
            "chat_url": f"ws://127.0.0.1:{chat_port}/ws",
            "ladder": "off",
            "playback_url": f"http://127.0.0.1:{playback_port}",
            "resume_grace_s": 0.5,
        }
    )
    processes = {
        "commands": lambda: ready_pid(settings, "deciders") is not None,
        "projections postgres": lambda: ready_pid(settings, "projections-postgres") is not None,
        "query_api": lambda: answers(f"{url}/health/ready"),
    }
    started: dict[str, subprocess.Popen[bytes]] = {}
    with ExitStack() as stack:
        for words, ready in processes.items():
            started[words] = stack.enter_context(process(words, settings, ready))
        client = stack.enter_context(httpx.Client(base_url=url, timeout=30))
        codec = stack.enter_context(closing(Codec(settings.schema_registry_url)))
        yield Edge(url, settings, client, codec, started["commands"])

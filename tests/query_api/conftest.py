"""The write side, the read models and the edge, each as its own process over real engines; shared by the session."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from aiokafka.partitioner import murmur2
from confluent_kafka import Consumer, Producer, TopicPartition
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pydantic import SecretStr

from ingest.demo.clock import READ_CLOCK_JS, WRAP_MS
from ingest.demo.publisher import Footage, publish
from schemas.consistency import ConsistencyToken
from schemas.message import Event
from schemas.wire import Codec, Decoded
from tests.engines import answers, free_ports, running
from tests.query_api.visiting import FLAGS, HOSTILE, SOON_MS, Visit
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
    port, rtmp_port, playback_port = free_ports(3)
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(SOON_MS)
    visit = Visit(page)
    visit.watch()
    yield visit
    context.close()


@pytest.fixture(scope="module")
def ingest(edge: Edge) -> Iterator[None]:
    settings = edge.settings.model_copy(update={"viewer_heartbeat_s": 1.0})
    with process("ingest", settings, lambda: answers(f"{edge.settings.playback_url}/health/ready")):
        yield


@pytest.fixture(scope="module")
def streamer(edge: Edge) -> Member:
    member = edge.register(display_name="Anna <b>& friends</b>")
    own = {"broadcaster_id": member.id}
    change = member.ask("PATCH", "/helix/channels", params=own, json={"title": HOSTILE, "game_id": "<i>Chess</i>"})
    assert change.status_code == 204, change.text
    return member


@contextmanager
def publishing(edge: Edge, member: Member, gop_s: float = 1.0) -> Iterator[None]:
    key = member.ask("POST", "/helix/streams/key").json()["data"][0]["stream_key"]
    stopped = threading.Event()
    footage = Footage(width=640, height=360, frame_rate=15, gop_s=gop_s, video_kbps=600)
    url = f"rtmp://127.0.0.1:{edge.settings.rtmp_port}/live/{key}"
    thread = threading.Thread(target=publish, args=(url, footage, stopped, lambda text: None))
    thread.start()
    try:
        eventually(lambda: edge.client.get("/helix/streams", params={"user_id": member.id}).json()["data"])
        yield
    finally:
        stopped.set()
        thread.join()


def watching(edge: Edge, member: Member, page: Page) -> None:
    """Open the watch page of somebody who is live, until it plays."""
    page.goto(f"{edge.url}/watch/{member.login}")
    expect(page.locator(".screen")).to_have_attribute("data-state", "playing", timeout=SOON_MS)


def shows_what_is_old(page: Page, from_s: float, to_s: float) -> None:
    """Wait for a picture that was taken so long ago."""

    def age_s() -> float:
        age = (
            f"(Date.now() - (({READ_CLOCK_JS})(document.querySelector('video')) ?? NaN) + {WRAP_MS}) % {WRAP_MS} / 1000"
        )
        return float(page.evaluate(age))

    eventually(lambda: from_s <= age_s() < to_s)

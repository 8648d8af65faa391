"""Rebuilds beside running projections: a switch loses nothing and counts nothing twice, and projections follow it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.world import World
from tests.projections.past import Past, past

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(500)]

WITHIN_S = 200


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """Engines and both live projections, started again whenever they exit, as the supervisor does."""
    with past(tmp_path_factory.mktemp("live-replay"), events=1_500) as made, kept_up(made):
        yield made


@contextmanager
def kept_up(world: Past) -> Iterator[None]:
    over = threading.Event()

    def keep(store: str) -> None:
        log = (world.settings.data_dir / f"projections-{store}.log").open("wb")
        argv = [sys.executable, "-m", "projections", store]
        with log:
            while not over.is_set():
                process = subprocess.Popen(argv, env=world.environment, stdout=log, stderr=log)
                while process.poll() is None and not over.wait(0.1):
                    pass
                process.terminate()
                process.wait()

    threads = [threading.Thread(target=keep, args=(store,)) for store in ("postgres", "clickhouse")]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


@contextmanager
def appending(world: Past) -> Iterator[list[int]]:
    """Events go on being appended meanwhile; gives how many, batch by batch."""
    over, counts = threading.Event(), list[int]()

    def append() -> None:
        seed = time.time_ns()
        while not over.wait(1):
            batch = [*World(100, seed + len(counts)).happenings()]
            world.append(*batch)
            counts.append(len(batch))

    thread = threading.Thread(target=append)
    thread.start()
    try:
        yield counts
    finally:
        over.set()
        thread.join()


def settled(world: Past) -> None:
    """Wait until every live read model has read its topic to the end."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        behind = {one["model"]: one["behind"] for one in world.replay("status", "--json").json["models"]}
        if not any(behind.values()):
            return
        assert time.monotonic() < deadline, behind
        time.sleep(0.5)


def proved(world: Past) -> None:
    settled(world)
    proof = world.replay("verify", "--json")
    assert proof.status == 0, proof.said


def test_rebuilding_everything_while_events_arrive(running: Past) -> None:
    settled(running)
    with appending(running) as counts:
        before = sum(counts)
        rebuilt = running.replay("rebuild", "--all", "--json")
        assert rebuilt.status == 0, rebuilt.errors
        assert all(one["previous"] is not None for one in rebuilt.json["rebuilt"])
        assert sum(counts) > before, "nothing arrived meanwhile"
    proved(running)


def test_verifying_while_events_arrive(running: Past) -> None:
    settled(running)
    with appending(running):
        proof = running.replay("verify", "--json")
    assert proof.status == 0, proof.said


def test_dropped_under_the_projections_they_begin_anew(running: Past) -> None:
    settled(running)
    running.dropped()
    proved(running)


def test_dropped_and_rebuilt_under_the_projections(running: Past) -> None:
    settled(running)
    with appending(running):
        running.dropped()
        rebuilt = running.replay("rebuild", "--all")
        assert rebuilt.status == 0, rebuilt.errors
    proved(running)

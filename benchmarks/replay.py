"""Rebuild of all Postgres models, and of ClickHouse, against the same folds through Faust and against the limit: the
same records consumed and decoded by as many processes, with nothing done to them.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import asyncpg

from benchmarks.engines import running_engines
from benchmarks.harness import Ratio, Report
from benchmarks.seed import fill
from projections.replay.blocking import Blocking
from projections.replay.course import Course
from projections.replay.names import StoreName, select
from projections.replay.reader import Reader
from projections.replay.rebuild import rebuild
from projections.replay.session import session
from projections.replay.verify import verify
from schemas.wire import Codec
from topology.settings import Settings
from topology.topics import EVENT_TOPICS

EVENTS = int(os.environ.get("TALLY_BENCH_EVENTS", "2000000"))
"""In the topics; fewer for a quick look."""

BARS = {"postgres_to_limit": 0.35, "clickhouse_to_limit": 0.5, "postgres_to_faust": 8.0}
FAUST_WARM = 0.01
FAUST_MEASURED_S = 45.0
"""Faust is measured over a stretch: all of it would take it minutes."""

_PROCESSES = os.cpu_count() or 1


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Seed, measure the limit before and after both rebuilds, prove what was rebuilt, and measure Faust."""
    say("Starting Kafka, the registry, Postgres and ClickHouse …")
    with running_engines() as settings:
        say(f"Appending {EVENTS:,} events …")
        began = time.perf_counter()
        topics = fill(settings, EVENTS, seed)
        figures: dict[str, Any] = {"events": EVENTS, "events_by_topic": topics, "processes": _PROCESSES}
        figures["seeding_s"] = round(time.perf_counter() - began, 1)
        limits = [_limit(settings)]
        rates = {}
        for store in ("postgres", "clickhouse"):
            say(f"Rebuilding {store} …")
            rates[store], figures[store] = _rebuilt(settings, store)
        limits.append(_limit(settings))
        say("Proving both equal to the topics …")
        figures["verify"] = _verified(settings)
        say("The same folds through Faust …")
        faust = _faust(settings)
    limit = sum(limits) / len(limits)
    figures |= {"limit_ev_per_s": [round(one) for one in limits], "faust_ev_per_s": round(faust)}
    values = {
        "postgres_to_limit": rates["postgres"] / limit,
        "clickhouse_to_limit": rates["clickhouse"] / limit,
        "postgres_to_faust": rates["postgres"] / faust,
    }
    return Report("replay", figures, {name: Ratio(value, BARS[name], ">=") for name, value in values.items()}, seed)


def _rebuilt(settings: Settings, store: StoreName) -> tuple[float, dict[str, Any]]:
    """Events per second from nothing to shown, keys and indexes included."""
    models = select([], store)
    course = Course()
    with session(settings, models, course) as work:
        rebuild(work, models)
        peaks = list(work.pool.peak_mib.values()) if work.pool is not None else []
        # Shown is the end; what the session puts away afterwards keeps no reader waiting.
        return course.events_per_s, {
            "seconds": round(course.seconds, 2),
            "ev_per_s": round(course.events_per_s),
            "worker_peak_mib": peaks,
        }


def _verified(settings: Settings) -> dict[str, Any]:
    models = select([])
    course = Course()
    with session(settings, models, course) as work:
        verdicts = verify(work, models)
        drifted = [verdict.model for verdict in verdicts if not verdict.equal]
        if drifted:
            raise RuntimeError(f"rebuilt models differ from the topics: {', '.join(drifted)}")
        return {"equal": True, "seconds": round(course.seconds, 2)}


def _limit(settings: Settings) -> float:
    """Events per second, from the first worker's first request to the last one's end."""
    with closing(Reader(settings)) as reader:
        sizes = {
            (topic.name, partition): reader.extent(topic.name, partition).end
            for topic in EVENT_TOPICS
            for partition in reader.partitions(topic.name)
        }
    places = sorted(sizes, key=lambda place: -sizes[place])
    shares = [places[n::_PROCESSES] for n in range(_PROCESSES)]
    with multiprocessing.get_context("spawn").Pool(_PROCESSES) as pool:
        spans = pool.starmap(_consume, [(settings, share) for share in shares], chunksize=1)
    return sum(count for count, _, _ in spans) / (max(end for _, _, end in spans) - min(start for _, start, _ in spans))


def _consume(settings: Settings, places: list[tuple[str, int]]) -> tuple[int, float, float]:
    gc.disable()  # as in the workers that rebuild
    began, count = time.time(), 0
    with closing(Reader(settings)) as reader, closing(Codec(settings.schema_registry_url)) as codec:
        for topic, partition in places:
            with closing(reader.batches(topic, partition, 0, None, 10_000)) as batches:
                for batch in batches:
                    for message in batch.messages:
                        codec.decode(message.value())
                    count += len(batch.messages)
    return count, began, time.time()


def _faust(settings: Settings) -> float:
    """Events per second of `python -m projections postgres` once it runs, with nothing there before."""
    with closing(Blocking(settings.postgres_dsn.get_secret_value())) as postgres:
        connection = postgres.connect({})

        def applied() -> int:
            try:
                return int(postgres.run(connection.fetchval("SELECT coalesce(sum(next_offset), 0) FROM rm.progress")))
            except asyncpg.UndefinedTableError:
                return 0

        for schema in postgres.run(connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname ~ '^(rm|tally)'")):
            postgres.run(connection.execute(f"DROP SCHEMA {schema['nspname']} CASCADE"))
        process = subprocess.Popen(
            [sys.executable, "-m", "projections", "postgres"],
            env=os.environ | settings.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while applied() < EVENTS * FAUST_WARM:
                if process.poll() is not None:
                    raise RuntimeError("the live projections did not start")
                time.sleep(0.1)
            before, began = applied(), time.monotonic()
            while applied() < EVENTS and time.monotonic() - began < FAUST_MEASURED_S:
                time.sleep(0.5)
            return (applied() - before) / (time.monotonic() - began)
        finally:
            process.terminate()
            process.wait(30)

"""Rebuilding every read model from 2 M mixed events, against the same folds through Faust and against reading alone."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.harness import Ratio, Report
from benchmarks.seed import fill
from benchmarks.stack import ROOT
from projections.replay.reader import Reader
from schemas.wire import Codec
from tests import engines
from topology.settings import Settings
from topology.topics import EVENT_TOPICS

EVENTS = 2_000_000
FAUST_S = 60
"""How long Faust is watched: its rate is steady, and all of the events would take it many minutes."""

FAUST_START_S = 120
OVER_FAUST, POSTGRES_OVER_LIMIT, CLICKHOUSE_OVER_LIMIT = 8.0, 0.35, 0.5


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Start engines of its own, fill the topics, and time each way through them, one after another."""
    with tempfile.TemporaryDirectory(prefix="tally-replay-") as folder, _engines(Path(folder)) as settings:
        say(f"Making {EVENTS:,} events …")
        by_topic = fill(settings, EVENTS, seed)
        figures: dict[str, Any] = {"events": EVENTS, "events_by_topic": by_topic}
        say("Through Faust into Postgres …")
        figures["faust_events_per_s"] = round(_faust(settings))
        say("Reading and decoding alone …")
        figures["limit_events_per_s"] = round(EVENTS / _reading_alone_s(settings))
        for store in ("postgres", "clickhouse"):
            say(f"Rebuilding {store} …")
            figures |= _rebuild(settings, store)
    limit, faust = figures["limit_events_per_s"], figures["faust_events_per_s"]
    postgres, clickhouse = figures["postgres_events_per_s"], figures["clickhouse_events_per_s"]
    ratios = {
        "postgres_over_faust": Ratio(postgres / faust, OVER_FAUST, ">="),
        "postgres_over_limit": Ratio(postgres / limit, POSTGRES_OVER_LIMIT, ">="),
        "clickhouse_over_limit": Ratio(clickhouse / limit, CLICKHOUSE_OVER_LIMIT, ">="),
    }
    return Report("replay", figures, ratios, seed)


@contextmanager
def _engines(folder: Path) -> Iterator[Settings]:
    with (
        engines.kafka(folder / "kafka") as kafka,
        engines.registry(kafka) as registry,
        engines.postgres(folder / "postgres") as dsn,
        engines.clickhouse(folder / "clickhouse") as clickhouse,
    ):
        stored = {name: getattr(clickhouse, name) for name in Settings.model_fields if name.startswith("clickhouse_")}
        yield registry.model_copy(update={**stored, "postgres_dsn": Settings(postgres_dsn=dsn).postgres_dsn})


def _faust(settings: Settings) -> float:
    """Events per second that the live runner applies, from its first step on."""
    environment = {**os.environ, **settings.environment()}
    runner = subprocess.Popen(
        (sys.executable, "-m", "projections", "postgres"), cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        return asyncio.run(_rate(settings.postgres_dsn.get_secret_value()))
    finally:
        runner.send_signal(signal.SIGTERM)
        runner.wait(timeout=60)


async def _rate(dsn: str) -> float:
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(FAUST_START_S):
            while True:
                if first := await _applied(connection):
                    break
                await asyncio.sleep(0.1)
        began = time.perf_counter()
        await asyncio.sleep(FAUST_S)
        return (await _applied(connection) - first) / (time.perf_counter() - began)
    finally:
        await connection.close()


async def _applied(connection: asyncpg.Connection[asyncpg.Record]) -> int:
    # Seeded topics hold no transactions' markers, so that offsets count events.
    try:
        return int(await connection.fetchval("SELECT coalesce(sum(next_offset), 0) FROM tally.progress"))
    except asyncpg.PostgresError:
        return 0


def _reading_alone_s(settings: Settings) -> float:
    """Seconds to consume and decode everything with one process per core and no sink: the limit."""
    with closing(Reader(settings)) as reader:
        places = [(topic.name, partition) for topic in EVENT_TOPICS for partition in reader.partitions(topic.name)]
        places.sort(key=lambda place: reader.extent(*place).end, reverse=True)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=spawn, initializer=_open, initargs=(settings,)) as pool:
        began = time.perf_counter()
        read = sum(pool.map(_read, places))
        spent = time.perf_counter() - began
    if read != EVENTS:
        raise RuntimeError(f"{read} events were read, not {EVENTS}")
    return spent


_reader: Reader
_codec: Codec


def _open(settings: Settings) -> None:
    global _reader, _codec
    _reader, _codec = Reader(settings), Codec(settings.schema_registry_url)


def _read(place: tuple[str, int]) -> int:
    count = 0
    for batch in _reader.batches(*place, 0, None):
        for message in batch.messages:
            _codec.decode(message.value())
        count += len(batch.messages)
    return count


def _rebuild(settings: Settings, store: str) -> dict[str, Any]:
    began = time.perf_counter()
    done = subprocess.run(
        (sys.executable, "-m", "topology.cli", "replay", "rebuild", "--all", "--store", store, "--json"),
        cwd=ROOT,
        env={**os.environ, **settings.environment(), "TALLY_DATA_DIR": str(settings.data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the rebuild of {store} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    said = json.loads(done.stdout)
    return {
        f"{store}_events_per_s": round(EVENTS / (time.perf_counter() - began)),
        f"{store}_peak_mib_per_process": said["peak_mib"],
    }

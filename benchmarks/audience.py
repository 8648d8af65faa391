"""A live stream at a lone origin, and viewers of it in a process of their own, watched from outside."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness import percentile
from benchmarks.lone_origin import LoneOrigin, lone_origin
from benchmarks.publishers import Publisher
from benchmarks.recording import record
from benchmarks.stack import ROOT

RECORDING_S = 4
SIZE, KBPS = (640, 360), 800
WARM_PARTS = 30
"""Parts before viewers come: three segments, so that a delta update leaves something out."""

WINDOW_S = 20
SETTLE_S = 4
CONNECT_S = 0.005
"""A viewer's share of the time for coming in."""


@dataclass(frozen=True, slots=True)
class Span:
    """What was counted between two moments of the monotonic clock."""

    begin: float
    end: float
    answers: dict[str, int]
    arrived: Any
    """As the load process gives it: see its module."""
    load_cpu_s: float
    server_cpu_s: float

    @property
    def seconds(self) -> float:
        return self.end - self.begin

    def costs(self) -> dict[str, Any]:
        """Requests, what they cost the server, and what failed."""
        requests = sum(self.answers.values())
        good = self.answers.get("part", 0) + self.answers.get("playlist", 0)
        if not good:
            raise RuntimeError(f"nothing was answered: {self.answers}")
        return {
            "playlists_per_s": round(self.answers.get("playlist", 0) / self.seconds, 1),
            "parts_per_s": round(self.answers.get("part", 0) / self.seconds, 1),
            "cpu_s_per_1000_requests": round(self.server_cpu_s * 1000 / requests, 4),
            "requests_per_core_s": round(requests / max(self.server_cpu_s, 0.01)),
            "server_cores": round(self.server_cpu_s / self.seconds, 3),
            "load_cores": round(self.load_cpu_s / self.seconds, 3),
            "failed": {what: count for what, count in self.answers.items() if what not in ("part", "playlist")},
        }


@asynccontextmanager
async def live_origin(seed: int) -> AsyncIterator[LoneOrigin]:
    """An origin with a stream on air. Raises RuntimeError when no parts come."""
    tags = record(RECORDING_S, seed, *SIZE, KBPS)
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as data, lone_origin(Path(data)) as origin:
        publisher = Publisher(origin.rtmp, "key", tags, RECORDING_S * 1000)
        publishing = asyncio.create_task(publisher.run())
        try:
            while len(origin.available) < WARM_PARTS:
                if publishing.done():
                    publishing.result()
                await asyncio.sleep(0.1)
            yield origin
        finally:
            publishing.cancel()
            await asyncio.wait([publishing])


async def load(module: str, arguments: Sequence[object], count: int, cpu_s: Callable[[], float]) -> Span:
    """Run a load process with `count` clients: its arguments, the moments where BEGIN and END stand, and what the
    server's CPU clock says at both.
    """
    begin = time.monotonic() + SETTLE_S + count * CONNECT_S
    end = begin + WINDOW_S
    moments = {"BEGIN": begin, "END": end}
    command = [str(moments.get(str(argument), argument)) for argument in arguments]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    telling = asyncio.create_task(process.communicate())
    before = await _at(begin, cpu_s)
    after = await _at(end, cpu_s)
    said, _ = await telling
    if process.returncode:
        raise RuntimeError(f"{module} exited with {process.returncode}")
    told = json.loads(said)
    return Span(begin, end, told["answers"], told["arrived"], told["cpu_s"], after - before)


async def watch(origin: LoneOrigin, port: int, count: int, cpu_s: Callable[[], float]) -> tuple[Span, dict[str, Any]]:
    """`count` viewers at a port: the origin's own, or that of what stands before it."""
    span = await load("benchmarks.viewers", [port, origin.path, count, "BEGIN", "END"], count, cpu_s)
    return span, span.costs() | _delivery(span, origin, count)


def parts_of(span: Span, origin: LoneOrigin) -> dict[str, float]:
    """The parts that could be had within the span, early enough that all may have got them, and since when."""
    return {name: at for name, at in origin.available.items() if span.begin <= at < span.end - 1}


def _delivery(span: Span, origin: LoneOrigin, count: int) -> dict[str, Any]:
    """From availability to the last byte at the viewer. What never arrived counts as the rest of the span."""
    parts = parts_of(span, origin)
    delays = [max(0.0, at - begun) * 1000 for name, begun in parts.items() for at in span.arrived.get(name, ())]
    missing = max(0, count * len(parts) - len(delays))
    delays += [span.seconds * 1000] * missing
    return {
        "part_delivery_p50_ms": round(percentile(delays, 0.50), 2),
        "part_delivery_p99_ms": round(percentile(delays, 0.99), 2),
        "parts": len(parts),
        "undelivered_share": round(missing / len(delays), 5),
    }


async def _at(moment: float, cpu_s: Callable[[], float]) -> float:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
    return cpu_s()

"""The deployed cache before the origin: what 100 and 1,000 viewers cost the origin, and what they get."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.audience import Span, live_origin, parts_of, watch
from benchmarks.harness import Ratio, Report
from benchmarks.lone_origin import LoneOrigin
from benchmarks.nginx import Nginx, running_nginx
from benchmarks.stack import ROOT

COUNTS = (100, 1000)
SAME = 1.05
CONFIG = ROOT / "deploy" / "nginx-signed-playback.conf"
BLOCKS = """
http {
    access_log off;
    tcp_nodelay on;
    keepalive_requests 1000000;
    client_body_temp_path FOLDER/body;
    proxy_temp_path FOLDER/proxy;
    %s
}
"""


@contextmanager
def _cache(origin: LoneOrigin) -> Iterator[Nginx]:
    deployed = CONFIG.read_text()
    for shown, own in {
        "127.0.0.1:8081": f"127.0.0.1:{origin.port}",
        "listen 8082": "listen 127.0.0.1:PORT backlog=4096",
        "/var/cache/nginx/tally": "FOLDER/cache",
    }.items():
        if shown not in deployed:
            raise RuntimeError(f"{CONFIG.name} no longer says {shown!r}")
        deployed = deployed.replace(shown, own)
    with running_nginx(BLOCKS % deployed) as nginx:
        yield nginx


def _asked(origin: LoneOrigin, span: Span) -> dict[str, float]:
    """Requests to the origin for each part of the span, and for each blocking reload."""
    names = list(parts_of(span, origin))
    parts = sum(_count(origin, f"{name}?") for name in names)
    reloads = sum(_count(origin, f"media.m3u8?{_directives(name)}&") for name in names)
    return {
        "origin_requests_per_part": round(parts / len(names), 3),
        "origin_requests_per_reload": round(reloads / len(names), 3),
    }


def _count(origin: LoneOrigin, beginning: str) -> int:
    return sum(count for asked, count in origin.asked.items() if asked.startswith(origin.path + beginning))


def _directives(name: str) -> str:
    number, index = name.removeprefix("part").removesuffix(".m4s").split(".")
    return f"_HLS_msn={number}&_HLS_part={index}"


async def _run(say: Callable[[str], None], seed: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for count in COUNTS:
        say(f"{count} viewers behind nginx …")
        async with live_origin(seed) as origin:
            with _cache(origin) as nginx:
                span, measured = await watch(origin, nginx.port, count, nginx.cpu_s)
        figures[f"n{count}"] = measured | _asked(origin, span)
        say(str(figures[f"n{count}"]))
    return figures


def run(seed: int, say: Callable[[str], None]) -> Report:
    """An origin and a cache of its own for each number of viewers. CPU is nginx's."""
    figures = asyncio.run(_run(say, seed))
    few, many = (figures[f"n{count}"] for count in COUNTS)
    ratios = {}
    for what in ("part", "reload"):
        name = f"origin_requests_per_{what}"
        ratios[f"{name}_n{COUNTS[1]}_over_n{COUNTS[0]}"] = Ratio(many[name] / few[name], SAME, "<=")
    return Report("collapse", figures, ratios, seed)

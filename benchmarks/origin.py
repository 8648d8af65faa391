"""The origin under blocking viewers: requests a core, and part delivery, beside nginx with the same bytes as files.

Every viewer holds a playlist reload and the hinted part open at the origin itself, with nothing in front. The limit is
nginx reading files: as many requests at the same pace, answered from the page cache.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from benchmarks.audience import live_origin, load, watch
from benchmarks.harness import Ratio, Report, percentile
from benchmarks.lone_origin import LoneOrigin
from benchmarks.nginx import running_nginx
from ingest.media.settings import MediaSettings

COUNTS = (500, 1000)
P99_BAR_MS = 50.0
FILES = 10
BLOCKS = """
http {
    access_log off;
    sendfile on;
    tcp_nodelay on;
    keepalive_requests 1000000;
    open_file_cache max=64;
    server {
        listen 127.0.0.1:PORT backlog=4096;
        root FOLDER/files;
        types { application/vnd.apple.mpegurl m3u8; video/mp4 m4s; }
    }
}
"""


async def _copy(origin: LoneOrigin, folder: Path) -> dict[str, float]:
    """The newest parts and a delta update as a viewer gets it; returns their sizes."""
    names = list(origin.available)[-FILES:]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{origin.port}{origin.path}") as http:
        parts = [(await http.get(name)).raise_for_status().content for name in names]
        playlist = (await http.get("media.m3u8", params={"_HLS_skip": "YES"})).raise_for_status().content
    for number, data in enumerate(parts):
        (folder / f"part{number}.m4s").write_bytes(data)
    packed = gzip.compress(playlist)
    (folder / "media.m3u8").write_bytes(packed)
    return {"part_bytes": round(sum(map(len, parts)) / FILES), "playlist_bytes": len(packed)}


async def _files(origin: LoneOrigin, count: int) -> tuple[dict[str, Any], dict[str, float]]:
    with running_nginx(BLOCKS, folders=("files",)) as nginx:
        sizes = await _copy(origin, nginx.folder / "files")
        period_s = MediaSettings().part_target_s
        span = await load(
            "benchmarks.readers", [nginx.port, count, "BEGIN", "END", period_s, FILES], count, nginx.cpu_s
        )
    delays = [delay * 1000 for delay in span.arrived]
    delivery = {f"part_delivery_p{share}_ms": round(percentile(delays, share / 100), 2) for share in (50, 99)}
    return span.costs() | delivery, sizes


async def _run(say: Callable[[str], None], seed: int) -> dict[str, Any]:
    figures: dict[str, Any] = {"part_s": MediaSettings().part_target_s}
    async with live_origin(seed) as origin:
        for count in COUNTS:
            say(f"{count} viewers at the origin …")
            _, figures[f"origin_n{count}"] = await watch(origin, origin.port, count, origin.cpu_s)
            say(str(figures[f"origin_n{count}"]))
        say(f"{max(COUNTS)} readers of nginx's files …")
        figures["nginx_files"], sizes = await _files(origin, max(COUNTS))
        say(str(figures["nginx_files"]))
    ours, limit = (figures[name]["cpu_s_per_1000_requests"] for name in (f"origin_n{max(COUNTS)}", "nginx_files"))
    return figures | sizes | {"cpu_per_request_over_nginx_files": round(ours / limit, 2)}


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Viewers at the origin in two numbers, then readers of files, in one run."""
    figures = asyncio.run(_run(say, seed))
    ratios = {
        f"part_delivery_p99_n{count}_over_limit": Ratio(
            figures[f"origin_n{count}"]["part_delivery_p99_ms"] / P99_BAR_MS, 1.0, "<="
        )
        for count in COUNTS
    }
    return Report("origin", figures, ratios, seed)

"""The origin without the rest: `python -m benchmarks.lone_origin DATA RTMP_PORT HTTP_PORT`, until a signal.

RTMP in, LL-HLS out, as `ingest` wires them, with one stream named `STREAM` that any key opens. It writes a line when a
part can be had (`part NAME SECONDS` of the monotonic clock, which all processes share), and at the end the requests it
was asked, as one JSON object.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.stack import ROOT, accepts
from ingest.cmcd.middleware import CmcdMiddleware
from ingest.cmcd.parse import Cmcd
from ingest.desk import Cut, Role
from ingest.hls.entries import part_name
from ingest.hls.gate import Gate, PrivateStreams
from ingest.hls.live_edge import LiveEdge
from ingest.hls.live_http import LiveHttp, live_http
from ingest.hls.origin import create_origin
from ingest.hls.plain_request import PlainRequest
from ingest.hls.playback import SOURCE
from ingest.hls.registry import Registry
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from ingest.media.tag import MediaTag
from ingest.server import RtmpServer
from topology.ports import free_row
from topology.settings import Settings

STREAM = "benchmark"
START_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class LoneOrigin:
    """A running one. `available` grows by each part of the source rendition; `asked` is complete after the end."""

    rtmp: str
    port: int
    process: psutil.Process
    available: dict[str, float] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    @property
    def path(self) -> str:
        """Of the source rendition."""
        return f"/live/{STREAM}/{SOURCE}/"

    def cpu_s(self) -> float:
        return sum(self.process.cpu_times()[:2])


@contextmanager
def lone_origin(data: Path) -> Iterator[LoneOrigin]:
    """Start it. Raises RuntimeError when it does not listen."""
    rtmp_port = free_row(2)
    command = [sys.executable, "-m", "benchmarks.lone_origin", str(data), str(rtmp_port), str(rtmp_port + 1)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    origin = LoneOrigin(f"rtmp://127.0.0.1:{rtmp_port}/live", rtmp_port + 1, psutil.Process(child.pid))
    listening = threading.Thread(target=_listen, args=(child, origin))
    listening.start()
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (accepts(rtmp_port) and accepts(origin.port)):
            if child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the origin did not start")
            time.sleep(0.05)
        yield origin
    finally:
        child.terminate()
        child.wait(timeout=30)
        listening.join()


def _listen(child: subprocess.Popen[str], origin: LoneOrigin) -> None:
    for line in child.stdout or ():
        match line.split():
            case ["part", name, moment]:
                origin.available[name] = float(moment)
            case ["asked", counts]:
                origin.asked.update(json.loads(counts))


class _Publication:
    """Feeds the stream. Availability is taken before the push that publishes a part: nothing is counted too late."""

    stream_id = STREAM

    def __init__(self, live: LiveStream, registry: Registry) -> None:
        self._live = live
        self._registry = registry
        self._last = (-1, -1)

    def push(self, tag: MediaTag, now_s: float) -> None:
        began = time.monotonic()
        self._live.push(tag, now_s)
        playback = self._registry.find(STREAM)
        window = playback.window(SOURCE) if playback else None
        if window and window.ready and window.last != self._last:
            self._last = window.last
            sys.stdout.write(f"part {part_name(*self._last)} {began:.6f}\n")
            sys.stdout.flush()

    def tick(self, now_s: float) -> None:
        self._live.tick(now_s)

    def end(self, reason: str) -> None:
        self._live.close()

    def vanish(self, reason: str) -> None:
        self._live.close()


class _OpenDesk:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def authorise(self, key: str, role: Role, session_id: str, cut: Cut) -> _Publication:
        return _Publication(LiveStream(STREAM, "channel", MediaSettings(), self._registry), self._registry)


class _Unwatched:
    def observe(self, stream_id: str, cmcd: Cmcd, status: int = 200) -> bool:
        return False


class _Counting:
    """ASGI middleware: what was asked, path and query. `http` counts what never comes to the app."""

    def __init__(self, app: ASGIApp, http: type[LiveHttp]) -> None:
        self.asked: Counter[str] = Counter()
        self._app = app
        asked = self.asked

        class Counted(http):  # type: ignore[misc, valid-type]  # a class that is made for this origin
            def take(self, request: PlainRequest, data: bytes) -> bool:
                taken: bool = super().take(request, data)
                if taken:
                    path, _, query = data.split(b" ", 2)[1].decode().partition("?")
                    asked[f"{path}?{query}"] += 1
                return taken

        self.http = Counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.asked[f"{scope['path']}?{scope['query_string'].decode()}"] += 1
        await self._app(scope, receive, send)


class _Server(uvicorn.Server):
    """uvicorn without its own idea of signals: what was asked is told last."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(data: Path, rtmp_port: int, http_port: int) -> None:
    settings = Settings(data_dir=data)
    registry = Registry(data / "live")
    edge, private = LiveEdge(registry), PrivateStreams(lambda _: True)
    origin = CmcdMiddleware(create_origin(edge), _Unwatched(), settings.cmcd_reports_per_minute)
    counting = _Counting(Gate(origin, private, settings), live_http(edge, private))
    rtmp = RtmpServer(_OpenDesk(registry))
    await rtmp.start("127.0.0.1", rtmp_port)
    server = _Server(
        uvicorn.Config(
            counting,
            port=http_port,
            http=counting.http,
            log_config=None,
            access_log=False,
            backlog=4096,
            timeout_graceful_shutdown=1,
        )
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, setattr, server, "should_exit", True)
    gc.freeze()
    await server.serve()
    await rtmp.stop()
    print("asked", json.dumps(counting.asked, separators=(",", ":")))


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))

"""nginx for a benchmark: one worker on a port of its own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.stack import accepts
from topology.ports import free_row

MAIN = """
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
{top}
events {{ worker_connections 8192; }}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running one: where it listens, a folder that it may read and write, and the process that does the work."""

    port: int
    folder: Path
    worker: psutil.Process

    def cpu_s(self) -> float:
        return sum(self.worker.cpu_times()[:2])


@contextmanager
def running_nginx(blocks: str, top: str = "", folders: tuple[str, ...] = ()) -> Iterator[Nginx]:
    """Start it with `blocks` behind the main configuration; FOLDER and PORT stand for its own. Raises RuntimeError."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        raise RuntimeError("nginx is needed: apt-get install nginx")
    with tempfile.TemporaryDirectory(prefix="tally-nginx-") as name:
        folder, port = Path(name), free_row(1)
        # The worker gives up root, and must still be able to write here.
        folder.chmod(0o755)
        for each in folders:
            (folder / each).mkdir()
            (folder / each).chmod(0o777)
        config = folder / "nginx.conf"
        own = blocks.replace("FOLDER", str(folder)).replace("PORT", str(port))
        config.write_text(MAIN.format(folder=folder, top=top) + own)
        server = subprocess.Popen([binary, "-c", config, "-p", folder], stderr=subprocess.DEVNULL)
        try:
            yield Nginx(port, folder, _worker_of(server, port))
        finally:
            server.terminate()
            server.wait(timeout=10)


def _worker_of(server: subprocess.Popen[bytes], port: int) -> psutil.Process:
    for _ in range(100):
        if server.poll() is not None:
            raise RuntimeError(f"nginx exited with {server.returncode}")
        workers = [each for each in psutil.Process(server.pid).children() if "worker" in " ".join(each.cmdline())]
        if workers and accepts(port):
            return workers[0]
        time.sleep(0.05)
    raise RuntimeError("nginx did not start within 5 s")

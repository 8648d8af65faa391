"""deploy/nginx-signed-playback.conf in a real nginx."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.engines import answers, free_ports

CONFIG = Path(__file__).parents[2] / "deploy" / "nginx-signed-playback.conf"
MAIN = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    include {folder}/tally.conf;
}}
"""
_START_S = 20


@contextmanager
def cache_before(origin_port: int, folder: Path, secret: str = "") -> Iterator[str]:
    """The address of a cache before an origin that answers `/health/live`."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert binary is not None, "apt-get install nginx"
    (port,) = free_ports(1)
    written = CONFIG.read_text()
    for shown, real in {
        "127.0.0.1:8081": f"127.0.0.1:{origin_port}",
        "listen 8082": f"listen 127.0.0.1:{port}",
        "/var/cache/nginx/tally": f"{folder}/cache",
        "put the edge secret here": secret,
    }.items():
        assert shown in written
        written = written.replace(shown, real)
    (folder / "tally.conf").write_text(written)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    for above in (folder, folder.parent, folder.parent.parent):
        above.chmod(0o755)  # the worker gives up root
    nginx = subprocess.Popen([binary, "-c", folder / "nginx.conf", "-p", folder], stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + _START_S
        while not answers(f"http://127.0.0.1:{port}/health/live"):
            assert nginx.poll() is None, nginx.stderr and nginx.stderr.read()
            assert time.monotonic() < deadline, (folder / "error.log").read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        nginx.terminate()
        nginx.communicate(timeout=10)

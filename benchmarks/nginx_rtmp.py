"""The peer for RTMP: nginx with its rtmp module (Debian's libnginx-mod-rtmp), packaging to HLS as we do."""

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

CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
load_module {module};
events {{ worker_connections 2048; }}
rtmp {{
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        chunk_size 4096;
        application live {{
            live on;
            hls on;
            hls_path {folder}/hls;
            hls_fragment 2s;
            hls_playlist_length 20s;
        }}
    }}
}}
"""

MODULES = (Path("/usr/lib/nginx/modules/ngx_rtmp_module.so"), Path("/usr/share/nginx/modules/ngx_rtmp_module.so"))


@dataclass(frozen=True, slots=True)
class NginxRtmp:
    """A running peer: where to publish, where its playlists appear, and the process that does the work."""

    url: str
    playlists: Path
    worker: psutil.Process


@contextmanager
def nginx_rtmp() -> Iterator[NginxRtmp]:
    """Start the peer. Raises RuntimeError when it is not installed or does not start."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    module = next((path for path in MODULES if path.exists()), None)
    if binary is None or module is None:
        raise RuntimeError("nginx with its rtmp module is needed: apt-get install nginx libnginx-mod-rtmp")
    with tempfile.TemporaryDirectory(prefix="tally-nginx-") as name:
        folder, port = Path(name), free_row(1)
        # The worker gives up root, and must still be able to write here.
        folder.chmod(0o755)
        (folder / "hls").mkdir(mode=0o777)
        (folder / "hls").chmod(0o777)
        config = folder / "nginx.conf"
        config.write_text(CONFIG.format(folder=folder, module=module, port=port))
        server = subprocess.Popen([binary, "-c", config, "-p", folder], stderr=subprocess.DEVNULL)
        try:
            yield NginxRtmp(f"rtmp://127.0.0.1:{port}/live", folder / "hls", _worker_of(server, port))
        finally:
            server.terminate()
            server.wait(timeout=10)


def _worker_of(server: subprocess.Popen[bytes], port: int) -> psutil.Process:
    for _ in range(100):
        if server.poll() is not None:
            raise RuntimeError(f"nginx exited with {server.returncode}")
        workers = psutil.Process(server.pid).children()
        if workers and accepts(port):
            return workers[0]
        time.sleep(0.05)
    raise RuntimeError("nginx did not start within 5 s")

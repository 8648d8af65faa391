"""The peer for RTMP: nginx with its rtmp module (Debian's libnginx-mod-rtmp), packaging to HLS as we do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.nginx import running_nginx

BLOCKS = """
rtmp {
    access_log off;
    server {
        listen 127.0.0.1:PORT;
        chunk_size 4096;
        application live {
            live on;
            hls on;
            hls_path FOLDER/hls;
            hls_fragment 2s;
            hls_playlist_length 20s;
        }
    }
}
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
    module = next((path for path in MODULES if path.exists()), None)
    if module is None:
        raise RuntimeError("nginx with its rtmp module is needed: apt-get install nginx libnginx-mod-rtmp")
    with running_nginx(BLOCKS, f"load_module {module};", ("hls",)) as nginx:
        yield NginxRtmp(f"rtmp://127.0.0.1:{nginx.port}/live", nginx.folder / "hls", nginx.worker)

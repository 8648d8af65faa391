"""How a process without an HTTP port says that it serves: a small file with its pid. Also the containers' probe."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import httpx
import psutil

from topology.settings import Settings


def _marker(settings: Settings, process: str) -> Path:
    return settings.data_dir / "run" / f"{process}.ready"


def announce_ready(settings: Settings, process: str) -> None:
    """Say that this process now does its work. The supervisor and container probes read it."""
    marker = _marker(settings, process)
    marker.parent.mkdir(parents=True, exist_ok=True)
    fresh = marker.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"pid": os.getpid()}))
    fresh.replace(marker)


def ready_pid(settings: Settings, process: str) -> int | None:
    """The pid that announced itself last; None before the first time. The caller checks that it still lives."""
    try:
        pid: int = json.loads(_marker(settings, process).read_text())["pid"]
    except (OSError, ValueError, KeyError):
        return None
    return pid


def _probe(process: str | None, url: str | None) -> bool:
    if url is not None:
        try:
            return httpx.get(url, timeout=3).is_success
        except httpx.HTTPError:
            return False
    pid = ready_pid(Settings(), process or "")
    return pid is not None and psutil.pid_exists(pid)


def main() -> int:
    """`python -m topology.readiness NAME` or `--url URL`: exit 0 when it serves, 1 when not."""
    parser = argparse.ArgumentParser(prog="python -m topology.readiness")
    parser.add_argument("process", nargs="?")
    parser.add_argument("--url")
    arguments = parser.parse_args()
    return 0 if _probe(arguments.process, arguments.url) else 1


if __name__ == "__main__":
    raise SystemExit(main())

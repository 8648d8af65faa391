"""How a process without an HTTP port says that it serves: a small file that names its pid."""

from __future__ import annotations

import json
import os
from pathlib import Path

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

"""`tally up` from nothing (no environment, no caches) and again: seconds and megabytes."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks.harness import Report
from benchmarks.stack import ROOT
from topology.ports import free_row


def _tally(clone: Path, home: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "XDG_"))}
    done = subprocess.run(
        [clone / "tally", *arguments],
        cwd=clone,
        env=environment | {"HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=1_200,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"tally {' '.join(arguments)} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _disk_mb(path: Path) -> float:
    used = subprocess.run(["du", "--summarize", "--block-size=1K", path], capture_output=True, text=True, check=True)
    return round(int(used.stdout.split()[0]) / 1024, 1)


def _memory_mb(status: str) -> float:
    """Proportional set size of all processes, so that shared pages count once."""
    total = 0
    for entry in json.loads(status)["processes"].values():
        process = psutil.Process(entry["pid"])
        for member in [process, *process.children(recursive=True)]:
            total += member.memory_full_info().pss
    return round(total / 2**20, 1)


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Clone the repository, start it with an empty HOME, stop it, start it again."""
    with tempfile.TemporaryDirectory(prefix="tally-up-") as folder:
        clone, home = Path(folder) / "tally", Path(folder) / "home"
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        flags = ("--port-base", str(free_row()))
        figures: dict[str, float] = {}
        try:
            for start in ("cold", "warm"):
                say(f"{start} start …")
                began = time.perf_counter()
                _tally(clone, home, "up", "--detach", *flags)
                figures[f"{start}_start_s"] = round(time.perf_counter() - began, 2)
                if start == "warm":
                    figures["memory_mb"] = _memory_mb(_tally(clone, home, "status", "--json", *flags))
                _tally(clone, home, "down", *flags)
        finally:
            subprocess.run([clone / "tally", "down", *flags], cwd=clone, capture_output=True, check=False)
        figures["environment_mb"] = _disk_mb(clone / ".venv")
        figures["data_mb"] = _disk_mb(clone / ".tally")
        figures["caches_mb"] = _disk_mb(home)
    return Report("up", figures, seed=seed)

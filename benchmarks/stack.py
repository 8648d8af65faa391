"""A whole Tally of its own for one benchmark, driven by the same commands that users have."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from topology.ports import free_row

ROOT = Path(__file__).parents[1]
TALLY = ROOT / "tally"


@dataclass(frozen=True, slots=True)
class Stack:
    """A running system and what `./tally status --json` says of it."""

    status: dict[str, Any]
    flags: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    """`TALLY_*` variables."""

    def tally(self, *arguments: str, timeout_s: float = 600) -> subprocess.CompletedProcess[str]:
        """Run a `tally` command against this system."""
        return subprocess.run(
            [TALLY, *arguments, *self.flags],
            env={**os.environ, **self.settings},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def process(self, name: str) -> psutil.Process:
        """The operating system's process behind a name of the process table."""
        return psutil.Process(self.status["processes"][name]["pid"])


@contextmanager
def running_stack(settings: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """A system on its own ports and data, taken down afterwards, with these `TALLY_*` variables.

    Raises RuntimeError with what `up` said.
    """
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as data:
        flags = ("--data", data, "--port-base", str(free_row()))
        stack = Stack({}, flags, settings or {})
        try:
            up = stack.tally("up", "--detach")
            if up.returncode:
                raise RuntimeError(f"tally up failed:\n{up.stdout}{up.stderr}")
            yield Stack(json.loads(stack.tally("status", "--json").stdout), flags, stack.settings)
        finally:
            stack.tally("down")


def accepts(port: int) -> bool:
    """Whether something listens on this port of the loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0

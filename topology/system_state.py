"""What a running system says of itself, in `<data>/run/`: a lock that proves it runs, and a file with its state."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel, Field

ProcessPhase = Literal["waiting", "preparing", "starting", "ready", "not ready", "restarting", "stopping", "stopped"]
SystemPhase = Literal["starting", "ready", "failed", "stopping", "stopped"]

_FLOCK = struct.Struct("hhqqi")
"""The kernel's `struct flock`: type, whence, start, length, pid."""


class ProcessState(BaseModel):
    """`reason` says why it is not ready, in a line or the end of its log."""

    state: ProcessPhase = "waiting"
    pid: int | None = None
    restarts: int = 0
    address: str = ""
    log: str = ""
    reason: str = ""
    started_at: float | None = Field(default=None, description="Unix time in seconds, as the kernel knows the pid.")


class SystemState(BaseModel):
    """`note` says what it is doing now; `reason` why it failed; `rtmps_port` and `ircs_port` are 0 without TLS."""

    state: SystemPhase = "starting"
    supervisor_pid: int
    started_at: float
    port_base: int | None
    rtmps_port: int = 0
    ircs_port: int = 0
    note: str = ""
    reason: str = ""
    processes: dict[str, ProcessState]


class AlreadyRunningError(Exception):
    """Another supervisor holds this data directory."""


class RunDirectory:
    """`<data>/run`. The lock is the kernel's, so it cannot outlive a supervisor that was killed."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir.absolute() / "run"
        self._lock = self.path / "supervisor.lock"
        self._state = self.path / "state.json"

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the only supervisor. Raises AlreadyRunningError."""
        self.path.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as lock:
            try:
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise AlreadyRunningError from error
            yield

    def supervisor(self) -> int | None:
        """The pid of the supervisor that runs now. Asking takes no lock, so it cannot get in a supervisor's way."""
        wanted = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        try:
            with self._lock.open() as lock:
                kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(lock, fcntl.F_GETLK, wanted))
        except FileNotFoundError:
            return None
        return None if kind == fcntl.F_UNLCK else pid

    def write(self, state: SystemState) -> None:
        """Publish the state: readers see the old one or the new one."""
        fresh = self._state.with_suffix(f".{os.getpid()}")
        fresh.write_text(state.model_dump_json(indent=1))
        fresh.replace(self._state)

    def read(self) -> SystemState | None:
        """What the last supervisor wrote, running or not; None when there was none."""
        try:
            return SystemState.model_validate_json(self._state.read_bytes())
        except (FileNotFoundError, ValueError):
            return None

    def kill_leftovers(self) -> list[str]:
        """End children of an earlier supervisor that outlived it, and say which. A pid used anew is left alone."""
        before = self.read()
        killed = []
        for name, process in (before.processes if before else {}).items():
            if process.pid is not None and _same(process.pid, process.started_at):
                psutil.Process(process.pid).kill()
                killed.append(name)
        return killed


def created_at(pid: int) -> float:
    """When the kernel made this process, Unix time in seconds."""
    return psutil.Process(pid).create_time()


def _same(pid: int, started_at: float | None) -> bool:
    try:
        return started_at is not None and abs(created_at(pid) - started_at) < 1.0
    except psutil.NoSuchProcess:
        return False

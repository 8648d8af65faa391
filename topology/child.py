"""A child process that never outlives its parent."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Launch:
    """What to run: `user` is the OS account to run as ("" keeps ours), `stop_signal` asks for an orderly end."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    stop_signal: int = signal.SIGTERM


def die_with(parent: int, number: int = signal.SIGKILL) -> Callable[[], None]:
    """A `preexec_fn` that has the kernel signal the child when `parent` ends, even by SIGKILL."""

    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it ended between fork and prctl
            os._exit(1)

    return prepare


def start(launch: Launch, log: Path) -> subprocess.Popen[bytes]:
    """Start the child with both its outputs appended to `log`; it dies with the calling thread.

    Its own process group keeps a terminal's Ctrl-C away from it: the parent stops its children in order.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            launch.argv,
            env={**os.environ, **launch.env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
            user=launch.user or None,
            group=launch.user or None,
            extra_groups=[] if launch.user else None,
            preexec_fn=die_with(os.getpid()),
        )


def exit_of(child: subprocess.Popen[bytes]) -> asyncio.Event:
    """Set when the child has ended. The kernel says so: nothing polls."""
    exited = asyncio.Event()
    loop = asyncio.get_running_loop()
    descriptor = os.pidfd_open(child.pid)

    def end() -> None:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        exited.set()

    loop.add_reader(descriptor, end)
    return exited


def stop(process: subprocess.Popen[bytes], launch: Launch, grace_s: float = 20.0) -> int:
    """Ask for an orderly end, kill after `grace_s` seconds; the exit status, negative for a signal."""
    process.send_signal(launch.stop_signal)
    try:
        return process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()

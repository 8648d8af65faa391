"""One process under supervision: started, watched, restarted with backoff, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import structlog

from topology.child import Launch, exit_of, start
from topology.probes import tail
from topology.processes import Process
from topology.settings import Settings
from topology.system_state import ProcessPhase, ProcessState, created_at

START_TIMEOUT_S = 180.0
STOP_GRACE_S = 20.0
PROBE_STARTING_S = 0.2
PROBE_READY_S = 3.0
SILENCES = 2
"""Failed probes in a row before a process that was ready no longer counts as ready: one may only be slow."""

STEADY_S = 20.0
"""Ready for this long forgives earlier failures."""

MAX_BACKOFF_S = 10.0
FIRST_ATTEMPTS = 4
"""A process that never was ready fails the start of the system after this many tries."""

_log = structlog.get_logger()


def backoff_s(failures: int) -> float:
    """How long to wait before the next start: 0.2 s after the first failure, doubling, at most 10 s."""
    return min(MAX_BACKOFF_S, 0.1 * float(1 << failures))


class StartFailedError(Exception):
    """A process never became ready: says which and why."""


@dataclass(slots=True, eq=False)
class Supervised:
    """`changed` is called after each change of `state`; `was_ready` is set when it first became ready."""

    process: Process
    settings: Settings
    changed: Callable[[], None]
    state: ProcessState = field(init=False)
    was_ready: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _child: subprocess.Popen[bytes] | None = None
    _launch: Launch | None = None
    _failures: int = 0

    def __post_init__(self) -> None:
        log = self.settings.data_dir / "logs" / f"{self.process.name}.log"
        self.state = ProcessState(address=self.process.address_in(self.settings), log=str(log))

    async def keep(self) -> None:
        """Keep it running until `stop`. Raises StartFailedError when it cannot be started in the first place."""
        while not self._stopping.is_set():
            reason = await self._live()
            if self._stopping.is_set():
                return
            self._failures += 1
            self.state.restarts += 1
            self._become("restarting", reason=reason, pid=None)
            if not self.was_ready.is_set() and self._failures >= FIRST_ATTEMPTS:
                raise StartFailedError(f"{self.process.name}: {reason}")
            pause = backoff_s(self._failures)
            _log.warning("process is restarted", name=self.process.name, after_s=pause, reason=reason)
            await _sleep_unless(self._stopping, pause)

    async def stop(self) -> None:
        """Ask it to end in good order; kill it when it does not within the grace."""
        self._stopping.set()
        child, launch = self._child, self._launch
        if child is not None and launch is not None and child.poll() is None:
            self._become("stopping")
            child.send_signal(launch.stop_signal)
            if not await _sleep_unless(exit_of(child), STOP_GRACE_S):
                _log.error("process did not stop and is killed", name=self.process.name)
                child.kill()
            await asyncio.to_thread(child.wait)
        self._become("stopped", pid=None)

    async def _live(self) -> str:
        """One life, from preparation to death; says what ended it."""
        self._become("preparing", pid=None)
        try:
            self._launch = await asyncio.to_thread(self.process.prepare, self.settings)
        except Exception as error:  # whatever a download or a first set-up raises is a reason to try again
            return f"could not be prepared: {error}"
        if self._stopping.is_set():
            return ""
        self._child = start(self._launch, Path(self.state.log))
        self._become("starting", pid=self._child.pid)
        return await self._watch(self._child)

    async def _watch(self, child: subprocess.Popen[bytes]) -> str:
        """Ask whether it serves until it has ended; says what ended it."""
        exited = exit_of(child)
        loop = asyncio.get_running_loop()
        began = loop.time()
        ready_at: float | None = None
        silent = 0
        while not exited.is_set() and not self._stopping.is_set():
            problem = await self._problem(child.pid, first_time=ready_at is None)
            if exited.is_set() or self._stopping.is_set():
                break
            silent = silent + 1 if problem else 0
            if not problem:
                ready_at = ready_at or loop.time()
                self._become("ready")
                self.was_ready.set()
                if loop.time() - ready_at > STEADY_S:
                    self._failures = 0
            elif ready_at is not None:
                if silent >= SILENCES:
                    self._become("not ready", reason=problem)
            elif loop.time() - began > START_TIMEOUT_S:
                child.kill()
                await exited.wait()
                child.wait()
                return f"was not ready within {START_TIMEOUT_S:.0f} s ({problem})"
            await _sleep_unless(exited, PROBE_READY_S if self.state.state == "ready" else PROBE_STARTING_S)
        await exited.wait()
        status = child.wait()
        ending = f"killed by signal {-status}" if status < 0 else f"exited with status {status}"
        return "\n".join([ending, *tail(Path(self.state.log), 5)])

    async def _problem(self, pid: int, first_time: bool) -> str:
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() == psutil.STATUS_STOPPED:
                return "is suspended"
        if not await self.process.ready(self.settings, pid):
            return "does not answer"
        if first_time and self.process.furnish is not None:
            try:
                await asyncio.to_thread(self.process.furnish, self.settings)
            except Exception as error:  # the engine answers but cannot serve yet
                return f"answers, but its contents could not be made: {error}"
        return ""

    def _become(self, phase: ProcessPhase, reason: str = "", **changes: int | None) -> None:
        if (phase, reason) == (self.state.state, self.state.reason):
            return
        if phase == "ready":
            _log.info("process is ready", name=self.process.name, pid=self.state.pid)
        elif phase == "not ready":
            _log.warning("process lives but is not ready", name=self.process.name, pid=self.state.pid, reason=reason)
        pid = changes.get("pid", self.state.pid)
        started_at = created_at(pid) if pid and pid != self.state.pid else self.state.started_at
        self.state = self.state.model_copy(
            update={"state": phase, "reason": reason, "pid": pid, "started_at": started_at if pid else None}
        )
        self.changed()


async def _sleep_unless(event: asyncio.Event, seconds: float) -> bool:
    """Sleep, but wake at once when the event is set; whether it was."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True

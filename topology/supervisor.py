"""Starts the processes in the order of their needs, keeps them running, and stops them in reverse.

`python -m topology.supervisor --data DIR [--port-base N]`: exit 0 after SIGINT or SIGTERM, 1 when the start failed (the
state file says why), 4 when another supervisor holds the data directory.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import structlog

from topology import demo_channel
from topology.embedded import kafka_training
from topology.logs import rotate_for_ever
from topology.ports import local_settings
from topology.processes import PROCESSES, Process
from topology.secrets import Secrets
from topology.settings import Settings
from topology.supervised import StartFailedError, Supervised
from topology.system_state import AlreadyRunningError, RunDirectory, SystemPhase, SystemState, created_at
from topology.telemetry import configure_logging

ALREADY_RUNNING = 4

_log = structlog.get_logger()


class Supervisor:
    """One system. Its state is written to the run directory at every change."""

    def __init__(self, settings: Settings, port_base: int | None, processes: Sequence[Process] = PROCESSES) -> None:
        self._settings = settings
        self._run = RunDirectory(settings.data_dir)
        self._supervised = {process.name: Supervised(process, settings, self._publish) for process in processes}
        self._state = SystemState(
            supervisor_pid=os.getpid(),
            started_at=created_at(os.getpid()),
            port_base=port_base,
            rtmps_port=settings.rtmps_port,
            ircs_port=settings.ircs_port,
            processes={},
        )
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ask for an orderly end."""
        self._stop.set()

    async def run(self) -> int:
        """Run until a signal or a failed start; the exit status."""
        for name in self._run.kill_leftovers():
            _log.warning("a process of an earlier supervisor was still there and is killed", name=name)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        self._become("starting")
        work = asyncio.create_task(self._work())
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        reason = ""
        if work.done():
            error = work.exception()
            reason = _said(error) if error else "the supervisor's own work ended"
            _log.error("the system could not be started", reason=reason)
        self._become("stopping", reason=reason)
        await self._stop_all()
        work.cancel()
        stop.cancel()
        await asyncio.gather(work, stop, return_exceptions=True)
        self._become("failed" if reason else "stopped", reason=reason)
        return 1 if reason else 0

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for supervised in self._supervised.values():
                tasks.create_task(self._keep(supervised))
            tasks.create_task(rotate_for_ever(self._settings.data_dir / "logs"))
            tasks.create_task(self._serve())

    async def _keep(self, supervised: Supervised) -> None:
        for need in supervised.process.needs:
            await self._supervised[need].was_ready.wait()
        await supervised.keep()

    async def _serve(self) -> None:
        for supervised in self._supervised.values():
            await supervised.was_ready.wait()
        if "edge" in self._supervised:
            await demo_channel.ensure(self._settings)
        self._become("ready")
        async with asyncio.TaskGroup() as tasks:
            if "edge" in self._supervised:
                tasks.create_task(demo_channel.keep_fresh(self._settings))
            if "kafka" in self._supervised:
                tasks.create_task(kafka_training.train_beside(self._settings))

    async def _stop_all(self) -> None:
        remaining = dict(self._supervised)
        while remaining:
            needed = {need for supervised in remaining.values() for need in supervised.process.needs}
            leaves = [name for name in remaining if name not in needed]
            await asyncio.gather(*(remaining.pop(name).stop() for name in leaves))

    def _become(self, phase: SystemPhase, reason: str = "") -> None:
        self._state = self._state.model_copy(update={"state": phase, "reason": reason})
        _log.info("system", state=phase)
        self._publish()

    def _publish(self) -> None:
        self._state.processes = {name: supervised.state for name, supervised in self._supervised.items()}
        self._run.write(self._state)


def _said(error: BaseException) -> str:
    """The reason that a person needs, out of the groups that the task groups wrap it in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    known = isinstance(error, StartFailedError | demo_channel.DemoFailedError)
    return str(error) if known else f"{type(error).__name__}: {error}"


def main() -> int:
    """Compose the system from the command line."""
    parser = argparse.ArgumentParser(prog="python -m topology.supervisor")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port-base", type=int)
    arguments = parser.parse_args()
    os.umask(0o077)
    settings = local_settings(arguments.data, arguments.port_base)
    configure_logging("supervisor", settings.log_level)
    try:
        with RunDirectory(settings.data_dir).hold():
            settings = Secrets.load_or_make(settings.data_dir).apply(settings)
            return asyncio.run(Supervisor(settings, arguments.port_base).run())
    except AlreadyRunningError:
        _log.error("another supervisor holds the data directory", data=str(settings.data_dir))
        return ALREADY_RUNNING


if __name__ == "__main__":
    os._exit(main())  # a download in a thread must not delay the end

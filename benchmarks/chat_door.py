"""Chat processes that may be killed: the system's own, and a second one with a supervisor of its own beside it.

`python -m benchmarks.chat_door` is that supervisor; its settings are `TALLY_*` variables.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from topology.child import die_with
from topology.ports import free_row
from topology.processes import PROCESSES
from topology.settings import Settings
from topology.supervisor import Supervisor
from topology.system_state import ProcessState, RunDirectory
from topology.telemetry import configure_logging

NAME = "chat"
START_S = 60.0
LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class ChatDoor:
    """A supervised chat process."""

    url: str
    data_dir: Path

    @property
    def pid(self) -> int:
        """Raises RuntimeError when it does not run."""
        pid = self._state().pid
        if pid is None:
            raise RuntimeError("the chat process does not run")
        return pid

    def kill(self) -> int:
        """`kill -9`; the pid that it had."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait(self, but_pid: int = 0) -> None:
        """Until it is ready, with another pid than this. Raises RuntimeError."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            state = self._state()
            if state.state == "ready" and state.pid not in (None, but_pid):
                return
            time.sleep(LOOK_S)
        raise RuntimeError(f"the chat process is not ready after {START_S:.0f} s")

    def _state(self) -> ProcessState:
        state = RunDirectory(self.data_dir).read()
        return ProcessState() if state is None else state.processes[NAME]


@contextmanager
def second_door(settings: Settings, data_dir: Path) -> Iterator[ChatDoor]:
    """Another chat process of the system with these settings, ready. `data_dir` is the supervisor's own."""
    port = free_row(2)
    url = f"ws://127.0.0.1:{port}/ws"
    own = settings.model_copy(update={"data_dir": data_dir, "chat_port": port, "irc_port": port + 1, "chat_url": url})
    door = ChatDoor(url, data_dir)
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.chat_door"],
        env={**os.environ, **own.environment()},
        preexec_fn=die_with(os.getpid(), signal.SIGTERM),
    ) as supervisor:
        try:
            door.wait()
            yield door
        finally:
            supervisor.terminate()


def main() -> int:
    settings = Settings()
    configure_logging("supervisor", "ERROR")
    (chat,) = [process for process in PROCESSES if process.name == NAME]
    with RunDirectory(settings.data_dir).hold():
        return asyncio.run(Supervisor(settings, None, [replace(chat, needs=())]).run())


if __name__ == "__main__":
    sys.exit(main())

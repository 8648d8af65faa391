"""A supervised system of two tiny programs, run as `python -m tests.topology.small_system DATA`.

`front` needs `back`. Each serves once the file `<name>.serves` exists, and notes its start and its end in `history`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from topology.child import Launch
from topology.processes import Process
from topology.settings import Settings
from topology.supervisor import Supervisor
from topology.system_state import RunDirectory

PROGRAM = """
import pathlib, signal, sys
data, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def note(what):
    with (data / "history").open("a") as history:
        history.write(f"{name} {what}\\n")
def end(*_):
    note("ends")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
note("starts")
while True:
    signal.pause()
"""


def program(name: str, *needs: str) -> Process:
    """A process of the small system."""

    async def serves(settings: Settings, pid: int) -> bool:
        return (settings.data_dir / f"{name}.serves").exists()

    return Process(
        name=name,
        needs=needs,
        prepare=lambda settings: Launch((sys.executable, "-c", PROGRAM, str(settings.data_dir), name)),
        ready=serves,
    )


SMALL = (program("back"), program("front", "back"))


def main() -> int:
    """Supervise until a signal."""
    settings = Settings(data_dir=Path(sys.argv[1]))
    with RunDirectory(settings.data_dir).hold():
        return asyncio.run(Supervisor(settings, None, SMALL).run())


if __name__ == "__main__":
    os._exit(main())

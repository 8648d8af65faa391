"""`tally down`."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import typer
from rich.console import Console

from topology.cli.options import DEFAULT_DATA, Data, Exit, PortBase
from topology.system_state import RunDirectory

_GRACE_S = 90.0


def down(data: Data = DEFAULT_DATA, port_base: PortBase = None) -> None:
    """Stop the system in good order. Exit status 0: stopped; 1: it had to be killed; 3: nothing ran."""
    console = Console(stderr=True, soft_wrap=True)
    run = RunDirectory(data)
    pid = run.supervisor()
    if pid is None:
        console.print(f"Tally does not run in {data.absolute()}.")
        raise typer.Exit(Exit.NOT_RUNNING)
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_S
    with console.status("Stopping …"):
        while run.supervisor() == pid:
            if time.monotonic() > deadline:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)  # its children die with it
                console.print(f"[red]It did not stop within {_GRACE_S:.0f} s and was killed.[/]")
                raise typer.Exit(Exit.FAILED)
            time.sleep(0.1)
    console.print("Stopped.")

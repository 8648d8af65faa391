"""`tally up`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from topology.child import die_with
from topology.cli import screen
from topology.cli.options import DEFAULT_DATA, ROOT, Data, Exit, PortBase
from topology.cli.report import gather
from topology.ports import holder, taken
from topology.system_state import RunDirectory, SystemState

_LOOK_S = 0.2
_PORTS_S = 2.0
_MARKS = {"ready": "[green]✓[/]", "waiting": "[dim]·[/]", "restarting": "[red]![/]", "not ready": "[red]![/]"}


def up(
    data: Data = DEFAULT_DATA,
    port_base: PortBase = None,
    detach: Annotated[bool, typer.Option("--detach", help="Come back when everything is ready.")] = False,
) -> None:
    """Start the whole system. Ctrl-C stops it again, unless detached.

    Exit status 0: started (and, not detached, stopped in good order); 1: it could not be started;
    4: it runs already; 5: a port is taken.
    """
    console = Console(stderr=True, soft_wrap=True)
    run = RunDirectory(data)
    if (pid := run.supervisor()) is not None:
        console.print(f"Tally already runs in {data.absolute()} (supervisor pid {pid}). `./tally down` stops it.")
        raise typer.Exit(Exit.ALREADY_RUNNING)
    if conflicts := _conflicts(port_base):
        for name, port in conflicts.items():
            console.print(f"[red]Port {port} ({name}) is taken[/] by {holder(port)}.", highlight=False)
        console.print("End that program, or choose other ports with --port-base N.")
        raise typer.Exit(Exit.PORT_TAKEN)
    supervisor = _start(data, port_base, detach)
    signal.signal(signal.SIGTERM, lambda *_: _interrupt())
    try:
        state = _follow(run, supervisor, console)
        if state is None:
            raise typer.Exit(_explain_failure(run, supervisor, console))
        screen.show(gather(data), Console())
        if not detach:
            console.print("Ctrl-C stops everything.")
            supervisor.wait()
    except KeyboardInterrupt:
        console.print("Stopping …")
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait()
        raise typer.Exit(Exit.FAILED if detach else Exit.DONE) from None
    if not detach and supervisor.returncode != 0:
        console.print(f"[red]The supervisor ended[/] (status {supervisor.returncode}); so did everything it ran.")
        raise typer.Exit(Exit.FAILED)


def _conflicts(port_base: int | None) -> dict[str, int]:
    """Ports that stay taken: those of a system that was killed a moment ago become free by themselves."""
    deadline = time.monotonic() + _PORTS_S
    while (conflicts := taken(port_base)) and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    return conflicts


def _interrupt() -> None:
    raise KeyboardInterrupt


def _start(data: Path, port_base: int | None, detach: bool) -> subprocess.Popen[bytes]:
    log = data.absolute() / "logs" / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "topology.supervisor", "--data", str(data.absolute())]
    if port_base is not None:
        command += ["--port-base", str(port_base)]
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=None if detach else die_with(os.getpid(), signal.SIGTERM),
        )


def _follow(run: RunDirectory, supervisor: subprocess.Popen[bytes], console: Console) -> SystemState | None:
    """Show progress until it is ready; None when it ended instead."""
    began = time.monotonic()
    told: set[str] = set()
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        while supervisor.poll() is None:
            state = run.read()
            if state is not None and state.supervisor_pid == supervisor.pid:
                live.update(_progress(state, time.monotonic() - began))
                if not console.is_terminal:
                    _tell_ready(state, told, time.monotonic() - began, console)
                if state.state == "ready":
                    return state
            time.sleep(_LOOK_S)
    return None


def _tell_ready(state: SystemState, told: set[str], seconds: float, console: Console) -> None:
    """Where a picture cannot be redrawn, one line for each process as it becomes ready."""
    for name, process in state.processes.items():
        if process.state == "ready" and name not in told:
            told.add(name)
            console.print(f"{name} is ready ({seconds:.1f} s)", highlight=False)


def _progress(state: SystemState, seconds: float) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("", "[bold]Starting Tally[/]", f"{seconds:.0f} s")
    for name, process in state.processes.items():
        reason = process.reason.splitlines()[0] if process.reason else ""
        table.add_row(_MARKS.get(process.state, "[yellow]…[/]"), name, f"{process.state} {reason}")
    return table


def _explain_failure(run: RunDirectory, supervisor: subprocess.Popen[bytes], console: Console) -> int:
    state = run.read()
    reason = state.reason if state is not None and state.supervisor_pid == supervisor.pid else ""
    console.print("[red]Tally could not be started.[/]")
    console.print(reason or "The supervisor ended without a reason.", highlight=False, markup=False)
    console.print(f"Logs are in {run.path.parent / 'logs'}; `./tally doctor` looks further.", highlight=False)
    return Exit.ALREADY_RUNNING if supervisor.returncode == Exit.ALREADY_RUNNING else Exit.FAILED

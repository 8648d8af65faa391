"""`tally logs`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from topology.cli.options import DEFAULT_DATA, Data, Exit, PortBase
from topology.probes import tail


def logs(
    process: Annotated[str, typer.Argument(help="A process as `status` names it, or `supervisor`.")] = "supervisor",
    data: Data = DEFAULT_DATA,
    port_base: PortBase = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing as it grows.")] = False,
) -> None:
    """Print the end of a process's log. Exit status 1: there is no such log."""
    log = data.absolute() / "logs" / f"{process}.log"
    if not log.exists():
        known = ", ".join(sorted(path.stem for path in log.parent.glob("*.log"))) or "none"
        typer.echo(f"There is no log of {process!r}. Logs: {known}.", err=True)
        raise typer.Exit(Exit.FAILED)
    for line in tail(log, lines):
        typer.echo(line)
    if follow:
        _follow(log)


def _follow(log: Path) -> None:
    position = log.stat().st_size
    while True:
        if log.stat().st_size < position:  # it was rotated
            position = 0
        with log.open("rb") as file:
            file.seek(position)
            typer.echo(file.read().decode(errors="replace"), nl=False)
            position = file.tell()
        time.sleep(0.3)

"""`tally status`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from topology.cli.options import DEFAULT_DATA, Data, Exit, PortBase
from topology.cli.report import gather

_COLOURS = {"ready": "green", "stopped": "dim", "not ready": "red", "restarting": "red", "failed": "red"}


def status(
    data: Data = DEFAULT_DATA,
    port_base: PortBase = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Say what runs and where. Exit status 0: all ready; 1: something is not; 3: nothing runs."""
    report = gather(data)
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    else:
        _show(report)
    if report["supervisor"]["pid"] is None:
        raise typer.Exit(Exit.NOT_RUNNING)
    if report["state"] != "ready":
        raise typer.Exit(Exit.FAILED)


def _show(report: dict[str, Any]) -> None:
    table = Table("process", "state", "pid", "restarts", "address", title=f"Tally is {report['state']}", expand=False)
    for name, process in report["processes"].items():
        colour = _COLOURS.get(process["state"], "yellow")
        reason = f" ({process['reason'].splitlines()[0]})" if process["reason"] else ""
        table.add_row(
            name,
            f"[{colour}]{process['state']}{reason}[/]",
            str(process["pid"] or ""),
            str(process["restarts"]),
            process["address"],
        )
    console = Console()
    console.print(table)
    console.print(f"data {report['data']} · logs {report['logs']}", highlight=False)

"""`tally bench`: measure, keep the raw result, and say whether the bars held."""

from __future__ import annotations

import importlib
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.harness import Report

NAMES = (
    "rtmp",
    "latency",
    "replay",
    "commands",
    "up",
    "origin",
    "collapse",
    "drift",
    "ladder",
    "automod",
    "what_if",
    "chat",
    "fanout",
    "siege",
    "sealing",
)

BARS_HELD, BAR_MISSED, NOT_MEASURED = 0, 1, 2


def bench(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(NAMES)}.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    seed: Annotated[int, typer.Option(help="Of everything random in the run.")] = 20_261_125,
) -> None:
    """Run a benchmark. Exit code 0: every bar held; 1: a bar was missed; 2: it could not be measured."""
    notes = Console(stderr=True)
    if name not in NAMES:
        notes.print(f"There is no benchmark {name!r}. Choose one of: {', '.join(NAMES)}.")
        raise typer.Exit(NOT_MEASURED)
    try:
        report: Report = importlib.import_module(f"benchmarks.{name}").run(seed, notes.print)
    except RuntimeError as error:
        notes.print(f"[red]Not measured:[/] {error}")
        raise typer.Exit(NOT_MEASURED) from error
    notes.print(f"Raw result: {report.keep()}")
    if as_json:
        typer.echo(json.dumps(report.as_json()))
    else:
        Console().print(_table(report))
    raise typer.Exit(BARS_HELD if report.held else BAR_MISSED)


def _table(report: Report) -> Table:
    table = Table("ratio", "value", "bar", "held", title=report.name, caption=json.dumps(report.figures, indent=1))
    for name, ratio in report.ratios.items():
        table.add_row(name, f"{ratio.value:.3f}", f"{ratio.want} {ratio.bar}", "yes" if ratio.held else "[red]no[/]")
    return table

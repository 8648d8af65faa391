"""`tally doctor`."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.markup import escape

from topology.cli.options import DEFAULT_DATA, Data, Exit, PortBase
from topology.diagnosis import diagnose


def doctor(data: Data = DEFAULT_DATA, port_base: PortBase = None) -> None:
    """Explain what is wrong, and what to do. Exit status 0: nothing is; 1: something is."""
    console = Console(soft_wrap=True, highlight=False)
    bad = 0
    for finding in diagnose(data, port_base):
        mark = "[green]✓[/]" if finding.verdict == "well" else "[red]✗[/]"
        console.print(f"{mark} [bold]{finding.check}[/] {escape(finding.text)}")
        if finding.advice:
            console.print(f"  → {escape(finding.advice)}")
        bad += finding.verdict == "problem"
    if bad:
        raise typer.Exit(Exit.FAILED)

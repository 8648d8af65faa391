"""`tally check`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import typer
from rich.console import Console

from topology.cli.options import ROOT, Exit

_BIN = Path(sys.executable).parent

CHECKS = (
    ("ruff check", ("ruff", "check", ".")),
    ("ruff format", ("ruff", "format", "--check", ".")),
    ("mypy", ("mypy", ".")),
    ("lint-imports", ("lint-imports",)),
)


def check() -> None:
    """Lint, format, types and the direction of imports. Exit status 0: clean; 1: not."""
    if not passes():
        raise typer.Exit(Exit.FAILED)


def passes() -> bool:
    """Run every check, not only up to the first that fails; whether all passed."""
    console = Console(stderr=True, soft_wrap=True)
    good = True
    for title, (program, *arguments) in CHECKS:
        console.rule(title)
        good &= subprocess.run((_BIN / program, *arguments), cwd=ROOT, check=False).returncode == 0
    return good

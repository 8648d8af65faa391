"""`tally coverage`."""

from __future__ import annotations

import subprocess
import sys

import typer

from topology.cli.options import ROOT, Exit

CONTEXT = {"allow_extra_args": True, "ignore_unknown_options": True}

DOMAIN = "commands/deciders/*,projections/models/*"
"""What decides and what folds: held to every line and branch."""


def coverage(context: typer.Context) -> None:
    """Run the suite under coverage, children included. Arguments go to pytest. Exit status 1: too little is covered."""
    _coverage("erase")
    tested = _coverage("run", "-m", "pytest", *context.args)
    _coverage("combine", "--quiet")
    whole = _coverage("report")
    domain = _coverage("report", f"--include={DOMAIN}", "--fail-under=100")
    if tested or whole or domain:
        raise typer.Exit(Exit.FAILED)


def _coverage(*arguments: str) -> int:
    return subprocess.run((sys.executable, "-m", "coverage", *arguments), cwd=ROOT, check=False).returncode

"""`tally test`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import typer
from rich.console import Console

from topology.cli.check import passes
from topology.cli.options import ROOT, Exit

PACKAGES = {
    "chromium": "/usr/bin/chromium",
    "ffmpeg": "/usr/bin/ffmpeg",
    "nginx": "/usr/sbin/nginx",
    "libnginx-mod-rtmp": "/usr/lib/nginx/modules/ngx_rtmp_module.so",
}
"""Debian packages that some tests drive, and a file that shows them to be there."""


CONTEXT = {"allow_extra_args": True, "ignore_unknown_options": True}


def test(context: typer.Context) -> None:
    """Check, then run the suite on real engines. Arguments go to pytest. Exit status 0: all good; 1: not."""
    console = Console(stderr=True, soft_wrap=True)
    install_programs(console)
    clean = passes()
    console.rule("pytest")
    tested = subprocess.run((sys.executable, "-m", "pytest", *context.args), cwd=ROOT, check=False)
    if not clean or tested.returncode != 0:
        raise typer.Exit(Exit.FAILED)


def install_programs(console: Console) -> None:
    """Bring the programs in with apt where that is possible, else say what will be missed."""
    packages = [package for package, file in PACKAGES.items() if not Path(file).exists()]
    if not packages:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        console.print(f"[yellow]Tests that need them fail without:[/] {' '.join(packages)}. Install them first.")
        return
    console.print(f"Installing {' '.join(packages)} …")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (("apt-get", "update", "-qq"), ("apt-get", "install", "-y", "-qq", "--no-install-recommends")):
        arguments = packages if "install" in command else []
        done = subprocess.run((*command, *arguments), env=environment, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            console.print(f"[red]{' '.join(command)} failed[/] (status {done.returncode}).")

"""Fetches what the data files are made of, by name, from the package registry that pip is set up for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


class NotFetched(RuntimeError):
    """pip could not get the package."""


def fetch(package: str, directory: Path, *, source: bool = False) -> Path:
    """The file that pip downloads for `name==version`: its wheel, or its source distribution. Raises NotFetched."""
    kind = ["--no-binary", ":all:"] if source else ["--only-binary", ":all:"]
    target = directory / package.replace("==", "-")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *kind, "--dest", str(target), package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotFetched(f"pip cannot download {package}: {done.stderr.strip()[-500:]}")
    return next(target.iterdir())

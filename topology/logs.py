"""Log files: one per process, each held below a size."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

MAX_BYTES = 16 * 2**20
INTERVAL_S = 5.0


async def rotate_for_ever(directory: Path) -> None:
    """Keep every log in the directory near `MAX_BYTES`, with one older file beside it."""
    while True:
        await asyncio.to_thread(_rotate_large, directory)
        await asyncio.sleep(INTERVAL_S)


def _rotate_large(directory: Path) -> None:
    for log in directory.glob("*.log"):
        if log.stat().st_size > MAX_BYTES:
            rotate(log)


def rotate(log: Path) -> None:
    """Copy the log to `<name>.log.1` and empty it. Its writer appends, so it goes on without being told.

    Lines written between the copy and the cut are lost.
    """
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    with log.open("r+b") as file:
        file.truncate(0)

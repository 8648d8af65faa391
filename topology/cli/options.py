"""What the commands share: where a system is, and what an exit status means."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import typer

from topology.ports import local_settings
from topology.secrets import Secrets
from topology.settings import Settings
from topology.system_state import RunDirectory

ROOT = Path(__file__).parents[2]
"""The checkout: commands work from any directory."""


class Exit(IntEnum):
    """Exit statuses that every command uses alike. Scripts rely on these numbers: add, never renumber."""

    DONE = 0
    """What was asked for is so."""
    FAILED = 1
    """It is not so; standard error says why."""
    USAGE = 2
    """The command line was wrong."""
    NOT_RUNNING = 3
    """There is no running system in this data directory."""
    ALREADY_RUNNING = 4
    """There is one already."""
    PORT_TAKEN = 5
    """Another program listens on a port that this system needs."""
    POISON = 6
    """A record cannot be read, folded or stored: `replay rebuild` names it and stops there."""
    HELD = 7
    """Another process is doing this now."""
    INTERRUPTED = 130
    """Ctrl-C, by the shells' convention; the same command goes on from there."""


Data = Annotated[
    Path, typer.Option("--data", metavar="DIR", envvar="TALLY_DATA_DIR", help="Where this system keeps everything.")
]
PortBase = Annotated[
    int | None,
    typer.Option(
        "--port-base",
        metavar="N",
        min=1024,
        max=65_000,
        help="Listen on N (edge), N+1 (playback), N+2 (rtmp), N+3 and N+4 (kafka), N+5 (schema registry), "
        "N+6 (postgres), N+7 (clickhouse), N+8 (chat) and N+9 (irc) instead of the usual ports.",
    ),
]
DEFAULT_DATA = ROOT / ".tally"


def settings_of(data: Path, port_base: int | None) -> Settings:
    """A local system's where this data directory has one; else those of the environment."""
    secrets = Secrets.load(data)
    if secrets is None:
        return Settings()
    state = RunDirectory(data).read()
    base = port_base if port_base is not None or state is None else state.port_base
    return secrets.apply(local_settings(data, base))


def moment_of(text: str) -> datetime:
    """A time on the command line. Raises BadParameter."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not an RFC 3339 time, such as 2026-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} lacks its offset, such as the Z in 2026-01-31T12:00:00Z")
    return moment

"""`tally keys`: the keys that sign playback tokens."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from topology.cli.options import DEFAULT_DATA, Data, Exit
from topology.playback_keys import KeyFile, KeyRing
from topology.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The keys that sign playback tokens. None of these commands shows one.")


@app.command(name="list")
def list_keys(data: Data = DEFAULT_DATA) -> None:
    """Each key's id, and what it does now. Exit status 1: the file cannot be read."""
    settings, now_s = _settings(data), time.time()
    ring = _ring(settings)
    signing = ring.signing(now_s)
    verifying = ring.verifying(now_s, settings.playback_token_longest_s)
    for key in ring.keys:
        does = "signs" if key == signing else "verifies" if key in verifying else "retired"
        typer.echo(
            f"{key.kid}  {does}, signs from {datetime.fromtimestamp(key.signs_from_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
        )


@app.command()
def rotate(
    data: Data = DEFAULT_DATA,
    grace: Annotated[int, typer.Option(min=0, help="Let the new key sign only after so many seconds.")] = 0,
) -> None:
    """Add a key that signs from now on, or after the grace. The one before verifies until its last token has expired.

    Exit status 1: the file cannot be read.
    """
    settings = _settings(data)
    _ring(settings)
    new = KeyFile.of(settings).rotate(time.time(), settings.playback_token_longest_s, grace)
    typer.echo(new.kid)


@app.command()
def public(data: Data = DEFAULT_DATA) -> None:
    """Print the ring without its private halves: the file for an origin elsewhere. Exit status 1: it cannot be read."""
    typer.echo(_ring(_settings(data)).public().model_dump_json(indent=2, exclude_none=True))


def _settings(data: Data) -> Settings:
    return Settings().model_copy(update={"data_dir": data.absolute()})


def _ring(settings: Settings) -> KeyRing:
    file = KeyFile.of(settings)
    try:
        return file.read()
    except (OSError, ValueError):
        typer.echo(f"{file.path} is no file of playback keys, or may not be read by this account.", err=True)
        raise typer.Exit(Exit.FAILED) from None

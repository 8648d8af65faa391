"""`tally import-cdn-logs`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from confluent_kafka import KafkaException
from confluent_kafka.schema_registry.error import SchemaRegistryError

from ingest.cmcd.cloudfront import LogError
from ingest.cmcd.importing import import_logs
from schemas.wire import Codec
from topology.cli.options import DEFAULT_DATA, Data, Exit, PortBase
from topology.ports import local_settings
from topology.secrets import Secrets
from topology.settings import Settings
from topology.system_state import RunDirectory

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Log files in the order of their time, plain or .gz.")
]


def import_cdn_logs(files: Files, data: Data = DEFAULT_DATA, port_base: PortBase = None) -> None:
    """Make playback events of CloudFront's real-time logs. A file imported twice counts once."""
    settings = _settings(data, port_base)
    try:
        with closing(Codec(settings.schema_registry_url)) as codec:
            codec.register_all()
            done = import_logs(files, settings, codec)
    except (LogError, OSError, KafkaException, SchemaRegistryError) as error:
        typer.echo(f"Not imported: {error}", err=True)
        raise typer.Exit(Exit.FAILED) from error
    typer.echo(
        f"{done.lines} lines, {done.requests} with CMCD ({done.foreign} of unknown streams), {done.events} events"
    )


def _settings(data: Path, port_base: int | None) -> Settings:
    """A local system's where this data directory has one; else those of the environment."""
    if Secrets.load(data) is None:
        return Settings()
    state = RunDirectory(data).read()
    return local_settings(data, port_base if port_base is not None or state is None else state.port_base)

"""`tally moderation`: what another policy would have decided."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import httpx
import typer
from confluent_kafka import KafkaException
from confluent_kafka.schema_registry.error import SchemaRegistryError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from commands.channel_log import channel_events
from commands.rejection import Rejected
from commands.what_if.report import EXAMPLES, Report, what_if
from commands.what_if.wanted import BadSettings, load
from schemas.wire import Codec
from topology.cli.options import DEFAULT_DATA, Data, Exit, PortBase, moment_of, settings_of
from topology.subject_keys.keyring import open_keyring

app = typer.Typer(no_args_is_help=True, help="What moderation decided, and what it would decide.")
app.callback()(lambda: None)

MEMORY = timedelta(hours=24)
"""How far back the rules look: unique-chat mode's day is the longest."""


@app.command("what-if")
def show_what_if(
    channel: Annotated[str, typer.Option(metavar="ID", help="The channel's id.")],
    since: Annotated[str, typer.Option(metavar="TIME", help="RFC 3339: what was said since then is judged.")],
    settings: Annotated[Path, typer.Option(metavar="FILE", help="The other policy, in TOML or JSON.")],
    examples: Annotated[int, typer.Option(min=0, max=1_000, help="Of each change.")] = EXAMPLES,
    data: Data = DEFAULT_DATA,
    port_base: PortBase = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Judge a channel's chat again by another policy, and say which decisions change. Nothing is written.

    Exit status 1: Kafka or the registry is away, or the policy does not go with the channel's; 2: the file is no
    policy.
    """
    moment = moment_of(since)
    try:
        wanted = load(settings)
    except (OSError, BadSettings) as error:
        raise typer.BadParameter(str(error), param_hint="--settings") from error
    place = settings_of(data, port_base)
    try:
        with closing(Codec(place.schema_registry_url, open_keyring(place))) as codec:
            events = channel_events(place, codec, channel, moment - MEMORY)
            report = what_if(events, wanted, moment, examples)
    except (KafkaException, SchemaRegistryError, httpx.HTTPError, Rejected) as error:
        typer.echo(f"Not judged: {error}", err=True)
        raise typer.Exit(Exit.FAILED) from error
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
    else:
        _tell(report)


def _tell(report: Report) -> None:
    out = Console(soft_wrap=True, highlight=False)
    out.print(f"{report.judged:,} messages judged, {report.changes.total():,} otherwise")
    table = Table("messages", "was", "would be", "such as")
    for (was, would_be), count in report.changes.most_common():
        said = "\n".join(
            f"{judged.event.sender_login}: {judged.event.text}" for judged in report.examples[was, would_be]
        )
        table.add_row(f"{count:,}", str(was), str(would_be), escape(said))
    if report.changes:
        out.print(table)

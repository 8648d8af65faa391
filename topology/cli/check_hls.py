"""`tally check-hls`."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console

from ingest.hls.check.observe import Unreadable, observe
from ingest.hls.check.report import as_json, conforms, show
from ingest.hls.check.rule import judge
from ingest.hls.check.rules import RULES
from topology.cli.options import Exit


def check_hls(
    url: Annotated[str, typer.Argument(help="Of a multivariant or media playlist.")],
    seconds: Annotated[float, typer.Option(min=0, max=3600, help="How long to watch a live stream.")] = 20.0,
    json_wanted: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Judge an HLS stream by the rules of RFC 8216bis, Apple's authoring specification and CMAF.

    Exit status 0: no MUST failed; 1: one did; 2: the URL cannot be read.
    """
    try:
        facts = asyncio.run(observe(url, seconds))
    except Unreadable as error:
        if json_wanted:
            typer.echo(json.dumps({"error": type(error).__name__, "message": str(error)}, indent=2))
        Console(stderr=True, soft_wrap=True, highlight=False).print(str(error), markup=False)
        raise typer.Exit(Exit.USAGE) from error
    verdicts = judge(facts, RULES)
    if json_wanted:
        typer.echo(json.dumps(as_json(facts, verdicts), indent=2))
    else:
        show(facts, verdicts, Console(highlight=False))
    if not conforms(verdicts):
        raise typer.Exit(Exit.FAILED)

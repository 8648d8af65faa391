"""The short screen that a start ends with."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table


def show(report: dict[str, Any], console: Console) -> None:
    """Print where to publish, watch, ask and analyse."""
    demo, analyst = report["demo"], report["analyst"]
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="bold")
    rows.add_column(overflow="fold")
    rows.add_row("publish", f"{report['rtmp']}   stream key {demo['stream_key']}")
    if report["rtmps"]:
        rows.add_row("over TLS", f"{report['rtmps']}   with the same key")
    rows.add_row("watch", f"{report['edge']}/watch/{demo['login']}")
    rows.add_row("chat", "   ".join(filter(None, (report["chat"], report["irc"], report["ircs"]))))
    rows.add_row("API", f"{report['edge']}/docs")
    rows.add_row("ClickHouse", f"{report['clickhouse']}   user {analyst['name']}, password {analyst['password']}")
    rows.add_row("data", report["data"])
    rows.add_row("logs", report["logs"])
    console.print(Panel(rows, title="Tally is ready", expand=False), highlight=False, soft_wrap=True)
    console.print("Nothing at hand to publish with? [bold]./tally demo[/] sends a test pattern.", highlight=False)

"""`tally demo`."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer
from rich.console import Console

from ingest.demo.publisher import Footage, publish
from topology.cli.options import DEFAULT_DATA, Data, Exit, PortBase
from topology.cli.report import gather


def demo(
    data: Data = DEFAULT_DATA,
    port_base: PortBase = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after this long; else Ctrl-C stops.")] = None,
    url: Annotated[str, typer.Option(help="RTMP address without the key, instead of the running system's.")] = "",
    key: Annotated[str, typer.Option(help="Stream key, instead of the demo channel's.")] = "",
    size: Annotated[str, typer.Option(metavar="WxH", help="The picture's size in pixels.")] = "1280x720",
    frame_rate: Annotated[int, typer.Option("--fps", min=1, max=120, help="Frames per second.")] = 30,
) -> None:
    """Publish a moving test picture with a tone. Exit status 1: nothing could be published; 3: no system runs."""
    console = Console(stderr=True)
    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal() and 64 <= int(width) <= 3840 and 64 <= int(height) <= 2160):
        raise typer.BadParameter("must be like 1280x720", param_hint="--size")
    if not (url and key):
        report = gather(data)
        if "rtmp" not in report or report["supervisor"]["pid"] is None:
            console.print(f"Nothing runs in {data}. Start it with `./tally up`, or give --url and --key.")
            raise typer.Exit(Exit.NOT_RUNNING)
        url, key = url or report["rtmp"], key or report["demo"]["stream_key"]
        console.print(f"Watch {report['edge']}/watch/{report['demo']['login']}", highlight=False)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    footage = Footage(width=int(width) // 2 * 2, height=int(height) // 2 * 2, frame_rate=frame_rate)
    published = publish(
        f"{url.rstrip('/')}/{key}", footage, stopped, lambda text: console.print(f"Demo: {text}"), seconds
    )
    if not published:
        raise typer.Exit(Exit.FAILED)

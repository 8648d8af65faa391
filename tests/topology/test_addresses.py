"""The addresses that `up` and `status --json` show."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from rich.console import Console

from topology.cli.report import gather
from topology.cli.screen import show
from topology.settings import Settings
from topology.supervisor import Supervisor
from topology.system_state import RunDirectory

DOORS = {"rtmps": "rtmps://localhost:1936/live", "ircs": "ircs://localhost:1936"}
TO_DOOR = pytest.mark.parametrize("door", DOORS)


def run_for_a_moment(data: Path, door: str, port: int) -> None:
    """A system of no processes, from its start to its end."""
    tls = {f"{door}_port": port, f"{door}_certificate_file": "chain.pem", f"{door}_key_file": "key.pem"}
    supervisor = Supervisor(Settings(data_dir=data).model_copy(update=tls), 20_000, ())
    supervisor.stop()
    with RunDirectory(data).hold():
        asyncio.run(supervisor.run())


def screen(data: Path) -> str:
    console = Console(file=io.StringIO(), width=200)
    show(gather(data), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@TO_DOOR
@pytest.mark.parametrize("port", [1936, 0])
def test_status_has_the_tls_address_that_the_system_was_started_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, door: str, port: int
) -> None:
    run_for_a_moment(tmp_path, door, port)
    for name, value in (("PORT", "4433"), ("CERTIFICATE_FILE", "other.pem"), ("KEY_FILE", "other.pem")):
        monkeypatch.setenv(f"TALLY_{door.upper()}_{name}", value)
    report = gather(tmp_path)
    assert report[door] == (DOORS[door] if port else "")
    assert (report["rtmp"], report["irc"]) == ("rtmp://127.0.0.1:20002/live", "irc://127.0.0.1:20009")


@TO_DOOR
def test_the_screen_of_up_shows_it_when_there_is_one(tmp_path: Path, door: str) -> None:
    run_for_a_moment(tmp_path, door, 1936)
    assert DOORS[door] in screen(tmp_path)


def test_the_screen_says_nothing_of_tls_without_it(tmp_path: Path) -> None:
    run_for_a_moment(tmp_path, "rtmps", 0)
    shown = screen(tmp_path)
    assert ("TLS" in shown, "ircs" in shown) == (False, False)
    assert all(plain in shown for plain in ("rtmp://127.0.0.1:20002/live", "irc://127.0.0.1:20009"))

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

RTMPS = "rtmps://localhost:1936/live"


def run_for_a_moment(data: Path, rtmps_port: int) -> None:
    """A system of no processes, from its start to its end."""
    settings = Settings(
        data_dir=data, rtmps_port=rtmps_port, rtmps_certificate_file="chain.pem", rtmps_key_file="key.pem"
    )
    supervisor = Supervisor(settings, 20_000, ())
    supervisor.stop()
    with RunDirectory(data).hold():
        asyncio.run(supervisor.run())


def screen(data: Path) -> str:
    console = Console(file=io.StringIO(), width=200)
    show(gather(data), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(("port", "address"), [(1936, RTMPS), (0, "")])
def test_status_has_the_rtmps_address_that_the_system_was_started_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int, address: str
) -> None:
    run_for_a_moment(tmp_path, port)
    for name, value in (("PORT", "4433"), ("CERTIFICATE_FILE", "other.pem"), ("KEY_FILE", "other.pem")):
        monkeypatch.setenv(f"TALLY_RTMPS_{name}", value)
    assert gather(tmp_path)["rtmps"] == address
    assert gather(tmp_path)["rtmp"] == "rtmp://127.0.0.1:20002/live"


def test_the_screen_of_up_shows_it_when_there_is_one(tmp_path: Path) -> None:
    run_for_a_moment(tmp_path, 1936)
    assert RTMPS in screen(tmp_path)


def test_the_screen_says_nothing_of_tls_without_it(tmp_path: Path) -> None:
    run_for_a_moment(tmp_path, 0)
    assert "TLS" not in screen(tmp_path)
    assert "rtmp://127.0.0.1:20002/live" in screen(tmp_path)

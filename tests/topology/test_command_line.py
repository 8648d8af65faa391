from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.engines import ROOT, tally
from topology.cli.options import Exit
from topology.ports import OFFSETS, free_row
from topology.secrets import Secrets
from topology.system_state import ProcessState, RunDirectory, SystemState


def test_a_port_that_is_taken_is_named_with_its_holder(tmp_path: Path) -> None:
    base = free_row()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", base + OFFSETS["rtmp"]))
        listener.listen()
        up = tally("up", "--detach", "--data", str(tmp_path), "--port-base", str(base))
        doctor = tally("doctor", "--data", str(tmp_path), "--port-base", str(base))
    assert up.returncode == Exit.PORT_TAKEN
    assert f"Port {base + OFFSETS['rtmp']} (rtmp) is taken by pid {os.getpid()}" in up.stderr
    assert doctor.returncode == Exit.FAILED
    assert f"{base + OFFSETS['rtmp']} (rtmp) is taken by pid {os.getpid()}" in doctor.stdout
    assert not (tmp_path / "run").exists()


def test_a_second_up_finds_the_first(tmp_path: Path) -> None:
    with RunDirectory(tmp_path).hold():
        second = tally("up", "--detach", "--data", str(tmp_path), "--port-base", str(free_row()))
    assert second.returncode == Exit.ALREADY_RUNNING
    assert f"supervisor pid {os.getpid()}" in second.stderr


def test_nothing_runs_in_a_fresh_directory(tmp_path: Path) -> None:
    status = tally("status", "--json", "--data", str(tmp_path))
    assert status.returncode == Exit.NOT_RUNNING
    assert json.loads(status.stdout)["state"] == "stopped"
    assert tally("down", "--data", str(tmp_path)).returncode == Exit.NOT_RUNNING


def test_a_system_whose_supervisor_was_killed_counts_as_stopped(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    with run.hold():
        processes = {"kafka": ProcessState(state="ready", pid=1, started_at=0.0)}
        run.write(
            SystemState(state="ready", supervisor_pid=os.getpid(), started_at=0, port_base=20_000, processes=processes)
        )
    status = tally("status", "--json", "--data", str(tmp_path))
    assert status.returncode == Exit.NOT_RUNNING
    report = json.loads(status.stdout)
    assert (report["state"], report["processes"]["kafka"]["state"]) == ("stopped", "stopped")
    assert "was killed while the system was ready" in tally("doctor", "--data", str(tmp_path)).stdout


def test_an_unknown_option_is_a_usage_error() -> None:
    assert tally("up", "--no-such-option").returncode == Exit.USAGE


def test_a_log_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    missing = tally("logs", "edge", "--data", str(tmp_path))
    assert missing.returncode == Exit.FAILED
    assert "no log of 'edge'" in missing.stderr


def test_a_machine_without_a_new_enough_python_is_told_so(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\n[ \"$1\" = --version ] && echo 'Python 3.9.2'\n")
    old.chmod(0o755)
    for program in ("sh", "dirname", "readlink"):
        (tmp_path / program).symlink_to(f"/usr/bin/{program}")
    done = subprocess.run(
        (ROOT / "tally", "status"),
        env={"PATH": str(tmp_path), "TALLY_PYTHON": "python3"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "Tally needs Python 3.11 or later; found here: Python 3.9.2. Install one, or install uv."
    )


@pytest.mark.stack
class TestStarted:
    def test_a_started_system_says_all_that_scripts_need(self, system: dict[str, Any]) -> None:
        assert system["state"] == "ready"
        assert len(system["processes"]) == 10
        assert {process["state"] for process in system["processes"].values()} == {"ready"}
        base = system["port_base"]
        assert system["edge"] == f"http://127.0.0.1:{base}"
        assert system["playback"] == f"http://127.0.0.1:{base + 1}"
        assert system["rtmp"] == f"rtmp://127.0.0.1:{base + 2}/live"
        assert (system["rtmps"], system["ircs"]) == ("", "")
        assert system["kafka"] == f"127.0.0.1:{base + 3}"
        assert system["schema_registry"] == f"http://127.0.0.1:{base + 5}"
        assert system["postgres"].endswith(f"@127.0.0.1:{base + 6}/tally")
        assert system["clickhouse"] == f"http://127.0.0.1:{base + 7}"

    def test_the_demo_channel_can_sign_in_and_publish(self, system: dict[str, Any]) -> None:
        assert system["demo"]["login"] == "demo"
        assert system["demo"]["stream_key"].startswith("live_")
        assert _validates(system, system["demo"]["token"])

    def test_a_token_that_nears_its_end_is_renewed(self, system: dict[str, Any]) -> None:
        data = Path(system["data"])
        secrets = Secrets.load(data)
        assert secrets is not None
        secrets.model_copy(update={"demo_token_expires_at": datetime.now(UTC)}).save(data)
        renewed = json.loads(tally("status", "--json", *_place(system)).stdout)["demo"]
        assert renewed["token"] != system["demo"]["token"]
        assert renewed["stream_key"] == system["demo"]["stream_key"]
        assert _validates(system, renewed["token"])

    def test_the_analyst_can_read(self, system: dict[str, Any]) -> None:
        account = (system["analyst"]["name"], system["analyst"]["password"])
        answer = httpx.post(system["clickhouse"], content="SELECT count() FROM tally.accounts", auth=account)
        assert answer.is_success
        assert int(answer.text) > 0

    def test_a_second_up_is_told_of_the_first(self, system: dict[str, Any]) -> None:
        assert tally("up", "--detach", *_place(system)).returncode == Exit.ALREADY_RUNNING

    def test_doctor_finds_nothing_wrong(self, system: dict[str, Any]) -> None:
        doctor = tally("doctor", *_place(system))
        assert (doctor.returncode, doctor.stdout.count("✗")) == (Exit.DONE, 0), doctor.stdout


@pytest.mark.stack
@pytest.mark.faults
@pytest.mark.timeout(600)
def test_a_system_comes_back_after_its_supervisor_was_killed_and_keeps_its_channel(tmp_path: Path) -> None:
    place = ("--data", str(tmp_path), "--port-base", str(free_row()))
    assert tally("up", "--detach", *place).returncode == Exit.DONE
    first = json.loads(tally("status", "--json", *place).stdout)
    os.kill(first["supervisor"]["pid"], signal.SIGKILL)
    pids = [process["pid"] for process in first["processes"].values()]
    while any(map(psutil.pid_exists, pids)):
        time.sleep(0.05)
    assert tally("status", *place).returncode == Exit.NOT_RUNNING
    with subprocess.Popen((ROOT / "tally", "up", *place), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
        run = RunDirectory(tmp_path)
        while run.supervisor() is None or (state := run.read()) is None or state.state != "ready":
            assert up.poll() is None
            time.sleep(0.1)
        second = json.loads(tally("status", "--json", *place).stdout)
        up.send_signal(signal.SIGINT)
        assert up.wait(120) == Exit.DONE
    assert second["demo"]["stream_key"] == first["demo"]["stream_key"]
    assert tally("status", *place).returncode == Exit.NOT_RUNNING
    assert not any(psutil.pid_exists(process["pid"]) for process in second["processes"].values())


def _place(system: dict[str, Any]) -> tuple[str, ...]:
    return ("--data", system["data"], "--port-base", str(system["port_base"]))


def _validates(system: dict[str, Any], token: str) -> bool:
    validate = f"{system['edge']}/oauth2/validate"
    return httpx.get(validate, headers={"Authorization": f"Bearer {token}"}).is_success

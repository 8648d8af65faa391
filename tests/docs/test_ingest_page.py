"""Every command of the page on publishing is run as it stands there, against a real server."""

from __future__ import annotations

import os
import re
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.authority import Authority
from tests.ingest.rtmp.house import House, eventually, running_house
from topology.tls import Certificates

PAGE = Path(__file__).parents[2] / "docs" / "ingest.md"
COMMANDS = [
    line for block in re.findall(r"^```bash\n(.*?)^```", PAGE.read_text(), re.M | re.S) for line in block.splitlines()
]


def run(command: str, house: House, folder: Path) -> str:
    """The key that it was run with."""
    key = house.new_key()
    here = command.replace("rtmp://127.0.0.1/", f"rtmp://127.0.0.1:{house.port}/").replace(
        ":1936/", f":{house.tls_port}/"
    )
    done = subprocess.run(
        ["bash", "-c", here],
        cwd=folder,
        env=os.environ | {"KEY": key},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return key


def ended(house: House, key: str) -> bool:
    return house.deciders.happened(house.stream_of(key))[-2:] == ["StreamStarted", "StreamEnded:unpublished"]


def test_each_command_publishes(tmp_path: Path) -> None:
    files = Authority(tmp_path).issue(serial=1)
    with running_house(tmp_path, certificates=Certificates(files.certificate, files.key)) as house:
        for command in COMMANDS:
            key = run(command, house, tmp_path)
            if "/live" in command:
                eventually(partial(ended, house, key))
    assert len(COMMANDS) == 4


@pytest.mark.parametrize("name", re.findall(r"TALLY_[A-Z_]+", PAGE.read_text()))
def test_each_setting_exists(name: str) -> None:
    assert f"`{name}`" in (PAGE.parent / "settings.md").read_text()

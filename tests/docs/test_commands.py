"""Every command that README and docs/ show is run as it stands there, in the order of the page, on a running system."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "deploy").glob("*.md")]
)
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)

BY_ITSELF = ("./tally test",)
"""Commands that cannot run inside the suite, since they are the suite."""

WHOLE_SYSTEM = ("./tally up",)
"""The system that the test runs on was started by this very command."""


def _commands() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for block in BLOCK.findall(page.read_text()):
            for line in block.splitlines():
                command = line.partition("#")[0].strip()
                if command and not command.startswith((*BY_ITSELF, *WHOLE_SYSTEM)):
                    yield page, command


def test_the_pages_show_commands() -> None:
    assert len(list(_commands())) >= 10


@pytest.mark.stack
@pytest.mark.timeout(600)
def test_each_command_does_what_the_page_says(system: dict[str, Any], tmp_path: Path) -> None:
    addresses = {
        "http://127.0.0.1:8080": system["edge"],
        "http://127.0.0.1:8081": system["playback"],
        "http://127.0.0.1:8123": system["clickhouse"],
    }
    environment = os.environ | {"TALLY_DATA_DIR": system["data"]}
    for page, command in _commands():
        here = command
        for shown, real in addresses.items():
            here = here.replace(shown, real)
        words = [str(ROOT / word) if word.startswith(("./tally", ".venv/")) else word for word in shlex.split(here)]
        # Writers of committed files run in the checkout, the others where their output does no harm.
        folder = ROOT if words[0].endswith("python") else tmp_path
        done = subprocess.run(
            words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{page.name}: {command}\n{done.stdout}{done.stderr}"

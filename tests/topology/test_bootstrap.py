"""`./tally` in a checkout of its own: its locks ask for nothing, its command line says how it was called."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engines import ROOT

COMMAND = "import sys; print(sys.prefix, *sys.argv[1:])"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bootstrap") / "a checkout"
    (root / "requirements").mkdir(parents=True)
    (root / "topology" / "cli").mkdir(parents=True)
    for package in ("topology", "topology/cli"):
        (root / package / "__init__.py").touch()
    shutil.copy(ROOT / "tally", root)
    shutil.copy(ROOT / "topology" / "bootstrap.py", root / "topology")
    (root / "topology" / "cli" / "__main__.py").write_text(COMMAND)
    for extent in ("runtime", "dev"):
        ask(root, extent, f"# nothing for {extent}\n")
    return root


def ask(checkout: Path, extent: str, lock: str) -> None:
    (checkout / "requirements" / f"{extent}.lock").write_text(lock)


def start(checkout: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (checkout / "tally", *arguments), cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(checkout: Path, *arguments: str) -> tuple[str, str, int]:
    process = start(checkout, *arguments)
    output, errors = process.communicate(timeout=120)
    return output, errors, process.returncode


def test_two_at_the_same_time_make_one_environment(checkout: Path) -> None:
    both = [start(checkout, "up", "--detach"), start(checkout, "up", "--detach")]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [output for output, _ in said] == [f"{checkout / '.venv'} up --detach\n"] * 2
    assert sum("Making the environment" in errors for _, errors in said) == 1


def test_a_lock_is_installed_when_it_changes_and_only_then(checkout: Path) -> None:
    ask(checkout, "runtime", "# nothing, said differently\n")
    assert "Making the environment" in run(checkout, "up")[1]
    assert run(checkout, "status") == (f"{checkout / '.venv'} status\n", "", 0)


def test_a_package_without_its_hash_is_refused_and_the_next_run_tries_again(checkout: Path) -> None:
    ask(checkout, "runtime", "uvicorn==0.1\n")
    for _ in range(2):
        _, errors, status = run(checkout, "up")
        assert status == 1
        assert "The environment could not be made." in errors
        assert "hash" in errors


def test_tests_bring_the_development_lock_and_the_rest_then_uses_it(checkout: Path) -> None:
    assert "dev.lock" in run(checkout, "test")[1]
    ask(checkout, "runtime", "# the development lock holds these too\n")
    assert run(checkout, "up")[1] == ""

"""`tally keys` as an operator runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from topology.cli.keys import app
from topology.cli.options import Exit
from topology.playback_keys import KeyFile


def keys(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data", str(data)])


@pytest.fixture
def rotated(tmp_path: Path) -> list[str]:
    """The ids of a key and of those that followed it, the last one after a grace."""
    return [keys(tmp_path, "rotate", *grace).stdout.strip() for grace in ([], [], ["--grace", "600"])]


def test_the_list_says_what_each_key_does(tmp_path: Path, rotated: list[str]) -> None:
    lines = keys(tmp_path, "list").stdout.splitlines()
    assert [line.split(",")[0].split() for line in lines] == [
        [rotated[0], "verifies"],
        [rotated[1], "signs"],
        [rotated[2], "verifies"],
    ]


def test_no_command_shows_a_private_half(tmp_path: Path, rotated: list[str]) -> None:
    secrets = [key.private for key in KeyFile(tmp_path / "playback-keys.json").read().keys]
    said = "".join(keys(tmp_path, command).stdout for command in ("list", "rotate", "public"))
    assert all(secrets)
    assert not any(secret in said for secret in secrets if secret)


def test_the_public_ring_holds_every_key(tmp_path: Path, rotated: list[str]) -> None:
    shown = json.loads(keys(tmp_path, "public").stdout)
    assert [key["kid"] for key in shown["keys"]] == rotated


def test_a_fresh_system_has_no_keys_yet(tmp_path: Path) -> None:
    listed = keys(tmp_path, "list")
    assert (listed.exit_code, listed.stdout) == (Exit.DONE, "")


@pytest.mark.parametrize("command", ["list", "rotate", "public"])
def test_a_file_that_is_something_else_is_named_and_left_alone(tmp_path: Path, command: str) -> None:
    file = tmp_path / "playback-keys.json"
    file.write_text("something else")
    refused = keys(tmp_path, command)
    assert refused.exit_code == Exit.FAILED
    assert str(file) in refused.stderr
    assert file.read_text() == "something else"

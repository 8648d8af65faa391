"""`tally erase` as an operator runs it; what it does to a whole system stands in `tests/system/test_erasure.py`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from commands.identity import user_id_of
from topology.cli.__main__ import compose
from topology.cli.options import Exit

Erase = Callable[..., Result]


@pytest.fixture
def erase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Erase:
    """With a master key, and nothing that answers."""
    monkeypatch.setenv("TALLY_PRIVACY_MASTER_KEY", "of tests")
    for name in ("KAFKA_BOOTSTRAP", "SCHEMA_REGISTRY_URL"):
        monkeypatch.setenv(f"TALLY_{name}", "http://127.0.0.1:1" if "URL" in name else "127.0.0.1:1")

    def run(*arguments: str, answer: str = "") -> Result:
        return CliRunner().invoke(compose(("erase",)), ["erase", *arguments, "--data", str(tmp_path)], input=answer)

    return run


def test_it_asks_and_names_whom(erase: Erase) -> None:
    declined = erase("somebody", answer="n\n")
    assert f"Erase somebody (user id {user_id_of('somebody')})?" in declined.output
    assert "Nobody can undo it" in declined.output
    assert declined.exit_code == Exit.FAILED


def test_an_id_is_taken_as_it_is(erase: Erase) -> None:
    assert "Erase 12345 (user id 12345)?" in erase("12345", "--id", answer="n\n").output


def test_what_is_no_login_is_the_command_lines_mistake(erase: Erase) -> None:
    assert erase("Not A Login!", "--yes").exit_code == Exit.USAGE


def test_without_a_master_key_it_says_that_nothing_is_sealed(erase: Erase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_PRIVACY_MASTER_KEY", "")
    refused = erase("somebody", "--yes")
    assert refused.exit_code == Exit.FAILED
    assert "TALLY_PRIVACY_MASTER_KEY" in refused.stderr

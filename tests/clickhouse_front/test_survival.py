"""What outlives the process, what happens once, and who may open the directory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.clickhouse_front.fronts import WRITER, serving
from topology.settings import Settings

pytestmark = pytest.mark.stack

CREATE = (
    "CREATE TABLE tally.kept (n UInt64) ENGINE = ReplacingMergeTree ORDER BY n "
    "SETTINGS non_replicated_deduplication_window = 100"
)


@pytest.mark.faults
def test_acknowledged_inserts_survive_kill_9(tmp_path: Path) -> None:
    acknowledged = 0
    for life in range(3):
        with serving(tmp_path) as (url, process), httpx.Client(base_url=url, auth=WRITER, timeout=60) as client:
            if life == 0:
                client.post("/", content=CREATE).raise_for_status()
            assert int(client.post("/", content="SELECT count() FROM tally.kept").text) == acknowledged
            for _ in range(20):
                rows = "\n".join(str(acknowledged + n) for n in range(50))
                client.post("/", content=f"INSERT INTO tally.kept FORMAT TSV\n{rows}").raise_for_status()
                acknowledged += 50
            process.kill()
            process.wait()


def test_a_repeated_insert_with_the_same_token_lands_once_even_after_a_restart(tmp_path: Path) -> None:
    def insert(url: str, token: str) -> None:
        params = {"insert_deduplication_token": token, "query": "INSERT INTO tally.kept FORMAT TSV"}
        httpx.post(url, auth=WRITER, params=params, content="1\n2\n").raise_for_status()

    def count(url: str) -> str:
        return httpx.post(url, auth=WRITER, content="SELECT count() FROM tally.kept").text

    with serving(tmp_path) as (url, process):
        httpx.post(url, auth=WRITER, content=CREATE).raise_for_status()
        insert(url, "accounts:0:0-1")
        insert(url, "accounts:0:0-1")
        assert count(url) == "2\n"
        process.kill()
        process.wait()
    with serving(tmp_path) as (url, _):
        insert(url, "accounts:0:0-1")
        assert count(url) == "2\n"
        insert(url, "accounts:0:2-3")
        assert count(url) == "4\n", "another token is another insert, whatever its rows"


def test_a_second_process_on_the_directory_fails_at_once_and_names_the_first(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, process):
        second = subprocess.run(
            [sys.executable, "-m", "topology.embedded.clickhouse"],
            env=dict(Settings.model_validate({"data_dir": tmp_path}).environment()),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert second.returncode == 1
    assert f"pid {process.pid} (" in second.stderr
    assert "topology.embedded.clickhouse" in second.stderr


def test_the_directory_can_be_opened_again_after_an_orderly_end(tmp_path: Path) -> None:
    for _ in range(2):
        with serving(tmp_path) as (url, process):
            assert httpx.post(url, auth=WRITER, content="EXISTS DATABASE tally").text == "1\n"
        assert process.returncode == 0

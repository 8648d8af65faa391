from __future__ import annotations

from pathlib import Path

import pytest

from topology import diagnosis
from topology.system_state import ProcessState, SystemState


def system(**processes: ProcessState) -> SystemState:
    return SystemState(state="ready", supervisor_pid=1, started_at=0, port_base=None, processes=processes)


def test_a_process_that_died_is_shown_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "edge.log"
    log.write_text("starting\nRuntimeError: the reason\n")
    state = system(edge=ProcessState(state="restarting", restarts=3, log=str(log), reason="exited with status 1"))
    (finding,) = diagnosis.children(tmp_path, state)
    assert finding.verdict == "problem"
    assert "edge is restarting, 3 restart(s). exited with status 1" in finding.text
    assert "RuntimeError: the reason" in finding.text
    assert "edge.log" in finding.advice


def test_a_process_that_recovered_is_mentioned_but_is_no_problem(tmp_path: Path) -> None:
    findings = list(diagnosis.children(tmp_path, system(edge=ProcessState(state="ready", restarts=2))))
    assert {finding.verdict for finding in findings} == {"well"}
    assert "edge died 2 time(s) and is ready again" in findings[0].text


def test_a_full_disk_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert diagnosis.disk(tmp_path).verdict == "well"
    monkeypatch.setattr(diagnosis, "LOW_DISK_BYTES", 1 << 62)
    assert diagnosis.disk(tmp_path).verdict == "problem"


def test_an_old_python_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert diagnosis.python().verdict == "well"
    monkeypatch.setattr(diagnosis, "MIN_PYTHON", (99, 0))
    assert diagnosis.python().verdict == "problem"


def test_a_registry_that_is_not_reached_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    finding = diagnosis.pip()
    assert finding.verdict == "problem"
    assert "pip's index" in finding.advice


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("LADDER_ENCODER", "h264_nvenc", "h264_nvenc does not work here"),
        ("LADDER_ENCODER", "h265_magic", "cannot use 'h265_magic'; set ladder_encoder to one of libx264"),
        ("LADDER", "721p", "'721p' is no rung; use off, auto, or some of 240p"),
    ],
)
def test_a_ladder_that_this_machine_cannot_make_is_a_problem(
    setting: str, value: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert diagnosis.ladder(tmp_path, None).verdict == "well"
    monkeypatch.setenv(f"TALLY_{setting}", value)
    finding = diagnosis.ladder(tmp_path, None)
    assert finding.verdict == "problem"
    assert said in finding.text


def test_jars_that_cannot_be_fetched_are_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # no jar of an earlier run
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    finding = diagnosis.maven(tmp_path)
    assert finding.verdict == "problem"
    assert "from Maven" in finding.text


def test_a_cache_that_cannot_be_written_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    monkeypatch.setenv("TALLY_CACHE_DIR", str(tmp_path / "cache"))
    finding = diagnosis.maven(tmp_path)
    assert finding.verdict == "problem"
    assert "cannot keep jars" in finding.text


def test_a_start_that_failed_says_why(tmp_path: Path) -> None:
    state = system().model_copy(update={"state": "failed", "reason": "kafka: no memory"})
    (finding,) = diagnosis.not_running(tmp_path, state)
    assert finding.verdict == "problem"
    assert "kafka: no memory" in finding.text

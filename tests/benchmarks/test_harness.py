"""The form of a benchmark's result is a contract with scripts."""

import importlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import harness
from benchmarks.harness import Ratio, Report, percentile
from benchmarks.recording import record
from topology.cli.__main__ import compose
from topology.cli.bench import NAMES


def test_a_ratio_is_held_up_to_its_bar() -> None:
    assert Ratio(1.0, 1.0, "<=").held
    assert not Ratio(1.01, 1.0, "<=").held
    assert Ratio(8.0, 8.0, ">=").held
    assert not Ratio(7.99, 8.0, ">=").held


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(number) for number in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)) == (50, 99, 100)
    assert percentile([7.0], 0.95) == 7
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_result_is_one_json_object_that_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "RESULTS", tmp_path / "results")
    report = Report("up", {"cold_start_s": 1.5}, {"over_limit": Ratio(2, 1, "<=")}, seed=7)
    kept = json.loads(report.keep().read_text())
    assert {"name", "figures", "ratios", "held", "seed", "machine", "measured_at"} == set(kept)
    assert kept["ratios"]["over_limit"] == {"value": 2, "bar": 1, "want": "<=", "held": False}
    assert kept["held"] is False


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_a_benchmark(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").run)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    answer = CliRunner().invoke(compose(("bench",)), ["bench", "speed"])
    assert answer.exit_code == 2
    assert "rtmp, latency, replay, commands, up, origin, collapse, drift, ladder" in " ".join(answer.stderr.split())


def test_a_recording_repeats_seamlessly() -> None:
    tags = record(2, seed=1, width=160, height=96, kbps=200)
    video = [tag for tag in tags if tag.type == 9 and tag.body[1] == 1]
    assert len(video) == 60
    assert video[0].body[0] >> 4 == 1, "it begins with a keyframe"
    assert tags[-1].timestamp_ms < 2_100
